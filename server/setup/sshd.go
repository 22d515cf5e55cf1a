package setup

import "fmt"

// sshdFile comes before what others, cloud-init among them, put there: of each keyword sshd takes
// the first value (sshd_config(5)).
const sshdFile = "/etc/ssh/sshd_config.d/10-slipway.conf"

// sshdSettings are for all, and for the deploying user. Forwarding is how deploys reach Docker's
// socket and other nodes. CI that deploys in parallel logs in more often at once than the
// default of ten allows.
const sshdSettings = `# Written by slipway server:setup, which writes it anew when it runs again.
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 30:30:100
ClientAliveInterval 30
ClientAliveCountMax 4
Match User %s
    AllowStreamLocalForwarding local
    AllowTcpForwarding local
    AllowAgentForwarding no
    X11Forwarding no
    PermitTTY no
    PermitTunnel no
`

func sshd(p *Plan, f Facts, w Wanted) error {
	switch {
	case w.LeaveSSH:
		return nil
	case !f.SSHDropIns:
		p.Notes = append(p.Notes, "sshd's settings were left as they are, since /etc/ssh/sshd_config does not include /etc/ssh/sshd_config.d/*.conf: it needs PubkeyAuthentication yes, PasswordAuthentication no and AllowStreamLocalForwarding yes")
		return nil
	case f.SSHService == "":
		p.Notes = append(p.Notes, "sshd's settings were left as they are, since systemd has neither ssh.service nor sshd.service")
		return nil
	}
	p.Notes = append(p.Notes, "sshd takes keys alone: who has logged in with a password so far needs a key (-noSshd=true leaves sshd's settings as they are)")
	settings := fmt.Sprintf(sshdSettings, w.User)
	before := sshdFile + ".before-slipway" // not *.conf, so sshd does not read it
	reload := "systemctl reload " + quote(f.SSHService)
	back := "if [ -e " + before + " ]; then mv -f " + before + " " + sshdFile + "; else rm -f " + sshdFile + "; fi"
	p.add(Step{
		Does:  "sshd takes keys alone, and forwards what deploys need",
		Check: holds(sshdFile, settings),
		Run: []string{
			"rm -f " + before + "; if [ -e " + sshdFile + " ]; then cp -p " + sshdFile + " " + before + "; fi",
			write(sshdFile, "644", settings),
			"/usr/sbin/sshd -t",
		},
		Guard: &Guard{
			// Debugging mode serves one connection in the foreground and says why it refuses one.
			Trial:  "timeout 60 /usr/sbin/sshd -d -e -o ListenAddress=127.0.0.1 -o PidFile=none -p ",
			Commit: reload, Undo: back,
		},
	})
	return nil
}
