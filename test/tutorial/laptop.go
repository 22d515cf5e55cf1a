package tutorial

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/test/aptget"
	"slipway/test/child"
	"slipway/test/dockerd"
	"slipway/test/host"
	"slipway/test/relay"
	"slipway/test/slipwaycmd"
)

// outside is where the registry's name leads to for builds.
const outside = "127.77.0.1"

// laptop is a reader's: a machine on the server's network, on which the names of the tutorial lead
// to the server, with an account of its own.
type laptop struct {
	machine *dockerd.Machine
	home    string
	bin     string // before all else on PATH
	env     []string
}

// command is slipway. What needs the engine runs on this machine and not on the laptop, which
// reaches nobody but the server: the engine downloads what it lacks, and other tests share it.
const command = `#!/bin/sh
case "$1" in
build:* | image:*)
	exec nsenter --net=%[1]s -- unshare --mount sh -c 'mount --bind ~/hosts.outside /etc/hosts && exec %[2]s "$@"' sh "$@" ;;
esac
exec %[2]s "$@"
`

// world is this machine's network. The file is opened before any thread goes into another one.
var world, errWorld = os.Open("/proc/self/ns/net")

func newLaptop(t *testing.T, lan *dockerd.Lan, server *host.Host, binary *slipwaycmd.Binary) *laptop {
	t.Helper()
	for command, pkg := range map[string]string{
		"ssh": "openssh-client", "ssh-keyscan": "openssh-client", "git": "git", "curl": "curl", "openssl": "openssl", "nsenter": "util-linux",
	} {
		aptget.Need(t, command, pkg)
	}
	must(t, errWorld)
	lead(t, server, "5000")
	l := &laptop{machine: lan.Machine(t), home: t.TempDir()}
	l.bin = filepath.Join(l.home, "bin")
	l.write(t, "bin/slipway", fmt.Sprintf(command, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), world.Fd()), binary.Path), 0o755)
	// OpenSSH does not look at $HOME.
	l.write(t, "bin/ssh", "#!/bin/sh\nexec /usr/bin/ssh -F none -i ~/.ssh/id_ed25519 -o UserKnownHostsFile=deploy/known_hosts \"$@\"\n", 0o755)
	l.write(t, ".ssh/id_ed25519", server.Key, 0o600)
	l.write(t, ".gitconfig", "[user]\n\tname = Anna\n\temail = anna@example.com\n", 0o644)
	l.write(t, "hosts", fmt.Sprintf("127.0.0.1 localhost\n%s swarm.example.com registry.example.com\n", server.IP), 0o644)
	l.write(t, "hosts.outside", fmt.Sprintf("127.0.0.1 localhost\n%s registry.example.com\n", outside), 0o644)
	l.env = append(slipwaycmd.Environment(t), "HOME="+l.home, "SLIPWAY_HOME="+binary.Home, "SLIPWAY_PROGRESS=plain", "SLIPWAY_ENGINE=embedded")
	must(t, os.Mkdir(filepath.Join(l.home, "slipway"), 0o755)) // where a reader has cloned it to
	return l
}

func (l *laptop) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(l.home, name)
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	must(t, os.WriteFile(file, []byte(text), mode))
}

// lead joins a port of the server's to the same port of outside.
func lead(t *testing.T, server *host.Host, port string) {
	t.Helper()
	way, err := net.Listen("tcp4", net.JoinHostPort(outside, port))
	must(t, err)
	t.Cleanup(func() { way.Close() })
	go relay.Serve(way, func() (net.Conn, error) {
		return server.Dial(t.Context(), "tcp4", net.JoinHostPort(server.IP, port))
	})
}

// types has a shell run the steps, and ends at the first that does not end as the page has it. It
// gives what each has written.
func (l *laptop) types(t *testing.T, all []step, limit time.Duration) (wrote []string) {
	t.Helper()
	const mark = "\x1e"
	var script strings.Builder
	script.WriteString("export PATH=\"" + l.bin + ":$PATH\"\ncd ~/slipway\n")
	for _, s := range all {
		wanted := "-eq"
		if s.fails {
			wanted = "-ne"
		}
		command := s.command
		if s.several {
			command = "set -e\n" + command + "\nset +e"
		}
		fmt.Fprintf(&script, "%s\ncode=$?; printf '\\036'; if ! [ $code %s 0 ]; then echo \"exit code $code\"; exit 1; fi; (exit $code)\n", command, wanted)
	}
	l.write(t, "steps.sh", script.String(), 0o600)
	// The names are in this shell's /etc/hosts, and in nobody else's.
	const enter = "mount --make-rprivate / && mount --bind ~/hosts /etc/hosts && exec bash ~/steps.sh"
	cmd := exec.Command("sh", "-c", enter)
	cmd.Env, cmd.Dir = l.env, l.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	var out child.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd, l.machine.Enter)
	must(t, err)
	t.Cleanup(p.KillGroup)
	select {
	case <-p.Done:
	case <-time.After(limit):
		p.KillGroup()
		t.Errorf("the commands did not end within %s", limit)
	}
	wrote = strings.Split(out.String(), mark)
	n := len(wrote) - 1 // commands that have ended
	if n == len(all) && p.Err == nil {
		return wrote[:n]
	}
	at, how := n, wrote[n]
	if strings.HasPrefix(how, "exit code") {
		at, how = n-1, wrote[n-1]+how
	}
	if at < len(all) {
		t.Errorf("the shell ended at line %d of the page (%v): %s\n%s", all[at].line, p.Err, all[at].command, how)
	}
	for i := max(0, at-4); i < at; i++ {
		t.Logf("before that: %s\n%s", all[i].command, wrote[i])
	}
	return wrote[:n]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
