package ssh_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"slipway/deploy/ssh"
	"slipway/test/sshd"
)

func isA(err, kind error) bool { return kind == nil || errors.Is(err, kind) }

func TestEachWayToPinAHostKeyIsAccepted(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostCertificates: true})
	line := s.Line(s.HostKey("ed25519"))
	hashed := knownhosts.HashHostname(knownhosts.Normalize(s.Address())) + line[strings.Index(line, " "):]
	other := "# a comment\n\nelsewhere.example " + strings.SplitN(s.Line(s.HostKey("rsa")), " ", 2)[1]
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, known := range map[string]string{
		"all keys, as ssh-keyscan gives them": s.KnownHosts(),
		"ed25519 alone":                       line,
		"rsa alone, without SHA-1":            s.Line(s.HostKey("rsa")),
		"ecdsa alone":                         s.Line(s.HostKey("ecdsa")),
		"a hashed host":                       hashed,
		"an authority":                        s.CALine(),
		"a wildcard":                          "127.0.0.*" + line[strings.Index(line, " "):],
		"several names":                       "other.example,[127.0.0.1]:" + strconv.Itoa(s.Port) + line[strings.Index(line, " "):],
		"among others":                        other + line,
		"lines that end as on Windows":        strings.ReplaceAll(other+line, "\n", "\r\n"),
		"without a last line break":           strings.TrimSpace(line),
		"a file":                              file,
	} {
		t.Run(name, func(t *testing.T) {
			o := to(s)
			o.KnownHosts = known
			if got := run(t, dial(t, o), "id -un"); got != "deploy\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAHostKeyThatIsNotPinnedIsRefusedAndNothingIsAsked(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519", "ecdsa"}})
	_, stranger := sshd.NewKey(t, "ed25519", "")
	_, strangeRSA := sshd.NewKey(t, "rsa", "")
	port := strconv.Itoa(s.Port)
	shown := xssh.FingerprintSHA256(s.HostKey("ed25519"))
	values := []string{"{port}", port, "{shown}", shown, "{ecdsa}", xssh.FingerprintSHA256(s.HostKey("ecdsa")),
		"{pinned}", xssh.FingerprintSHA256(stranger)}
	for name, c := range map[string]struct{ known, want string }{
		"unknown": {
			sshd.KnownHostsLine("elsewhere.example", s.HostKey("ed25519")),
			"connecting to deploy@127.0.0.1:{port} over SSH: its host key is not pinned. The server shows ecdsa-sha2-nistp256 {ecdsa}. If its administrator confirms that (ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub on the server), put the output of `ssh-keyscan -p {port} 127.0.0.1` into SSH_KNOWN_HOSTS",
		},
		"no known hosts at all": {
			"",
			"connecting to deploy@127.0.0.1:{port} over SSH: its host key is not pinned. The server shows ecdsa-sha2-nistp256 {ecdsa}. If its administrator confirms that (ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub on the server), put the output of `ssh-keyscan -p {port} 127.0.0.1` into SSH_KNOWN_HOSTS",
		},
		"pinned for port 22 alone": {
			sshd.KnownHostsLine("127.0.0.1:22", s.HostKey("ed25519")),
			"connecting to deploy@127.0.0.1:{port} over SSH: its host key is not pinned. The server shows ecdsa-sha2-nistp256 {ecdsa}. If its administrator confirms that (ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub on the server), put the output of `ssh-keyscan -p {port} 127.0.0.1` into SSH_KNOWN_HOSTS",
		},
		"changed": {
			"# ours\n" + s.Line(stranger),
			"connecting to deploy@127.0.0.1:{port} over SSH: its host key has changed. The server shows ssh-ed25519 {shown}, but pinned is ssh-ed25519 {pinned} (line 2). Either it was set up anew, or somebody is in between. If its administrator confirms the new one (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on the server), replace the line in SSH_KNOWN_HOSTS by the output of `ssh-keyscan -p {port} 127.0.0.1`",
		},
		"revoked": {
			s.Line(s.HostKey("ed25519")) + "@revoked * " + strings.TrimSpace(string(xssh.MarshalAuthorizedKey(s.HostKey("ed25519")))),
			"connecting to deploy@127.0.0.1:{port} over SSH: the server's host key ssh-ed25519 {shown} is marked @revoked in line 2 of the known hosts; it must get a new one",
		},
		"of another kind": {
			s.Line(strangeRSA),
			"connecting to deploy@127.0.0.1:{port} over SSH: it has no host key of a pinned kind. Pinned: rsa-sha2-512, rsa-sha2-256; the server has: ssh-ed25519, ecdsa-sha2-nistp256. If its administrator confirms the new keys, put the output of `ssh-keyscan -p {port} 127.0.0.1` into SSH_KNOWN_HOSTS",
		},
		"a file that is not there": {
			"/nonexistent/known_hosts",
			"reading the known hosts: SSH_KNOWN_HOSTS is neither lines as ssh-keyscan prints them nor a file that can be read: open /nonexistent/known_hosts: no such file or directory",
		},
		"not in the format": {
			s.Line(stranger) + "SHA256:abcdef\n",
			"reading the known hosts: line 2: missing host pattern; SSH_KNOWN_HOSTS takes lines as ssh-keyscan prints them",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := to(s)
			o.KnownHosts = c.known
			refuses(t, o, ssh.ErrHostKey, fill(c.want, values...))
		})
	}
	if strings.Contains(s.Log(), "publickey") {
		t.Errorf("a key was shown to a server that was not trusted:\n%s", s.Log())
	}
}

func TestACertificateOfAnotherAuthorityIsRefused(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, HostCertificates: true})
	_, authority := sshd.NewKey(t, "ed25519", "")
	o := to(s)
	o.KnownHosts = "@cert-authority " + s.Line(authority)
	_, err := ssh.Dial(t.Context(), o)
	if !errors.Is(err, ssh.ErrHostKey) || !strings.Contains(err.Error(), "its host key a certificate for ssh-ed25519 "+xssh.FingerprintSHA256(s.HostKey("ed25519"))) {
		t.Errorf("got %v", err)
	}
}
