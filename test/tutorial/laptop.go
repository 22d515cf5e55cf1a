package tutorial

import (
	"fmt"
	"io"
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
	"slipway/test/host"
	"slipway/test/slipwaycmd"
)

// address is where the names of the tutorial lead to on this machine, in the reader's shell alone.
const address = "127.77.0.1"

// laptop is a reader's, with an account of its own and a shell in which the server has its names.
type laptop struct {
	home string
	bin  string // before all else on PATH
	env  []string
}

func newLaptop(t *testing.T, server *host.Host, binary *slipwaycmd.Binary) *laptop {
	t.Helper()
	for command, pkg := range map[string]string{"ssh": "openssh-client", "ssh-keyscan": "openssh-client", "git": "git", "curl": "curl", "openssl": "openssl", "unshare": "util-linux"} {
		aptget.Need(t, command, pkg)
	}
	for _, port := range []string{"22", "5000", "8080"} {
		lead(t, server, port)
	}
	l := &laptop{home: t.TempDir(), bin: t.TempDir()}
	must(t, os.Symlink(binary.Path, filepath.Join(l.bin, "slipway")))
	// OpenSSH does not look at $HOME.
	l.write(t, "bin/ssh", "#!/bin/sh\nexec /usr/bin/ssh -F none -i ~/.ssh/id_ed25519 -o UserKnownHostsFile=\"$PWD/deploy/known_hosts\" \"$@\"\n", 0o755)
	must(t, os.Symlink(filepath.Join(l.home, "bin/ssh"), filepath.Join(l.bin, "ssh")))
	l.write(t, ".ssh/id_ed25519", server.Key, 0o600)
	l.write(t, ".gitconfig", "[user]\n\tname = Anna\n\temail = anna@example.com\n", 0o644)
	l.write(t, "hosts", fmt.Sprintf("127.0.0.1 localhost\n%s swarm.example.com registry.example.com\n", address), 0o644)
	l.env = append(slipwaycmd.Environment(t), "HOME="+l.home, "SLIPWAY_HOME="+binary.Home, "SLIPWAY_PROGRESS=plain", "SLIPWAY_ENGINE=embedded")
	must(t, os.Mkdir(filepath.Join(l.home, "slipway"), 0o755))
	return l
}

func (l *laptop) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(l.home, name)
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	must(t, os.WriteFile(file, []byte(text), mode))
}

// lead joins a port of the server's to the same port of address.
func lead(t *testing.T, server *host.Host, port string) {
	t.Helper()
	way, err := net.Listen("tcp4", net.JoinHostPort(address, port))
	must(t, err)
	t.Cleanup(func() { way.Close() })
	go func() {
		for {
			outside, err := way.Accept()
			if err != nil {
				return
			}
			go func() {
				defer outside.Close()
				inside, err := server.Dial(t.Context(), "tcp4", net.JoinHostPort(server.IP, port))
				if err != nil {
					return
				}
				defer inside.Close()
				go func() {
					_, _ = io.Copy(inside, outside)
					_ = inside.(*net.TCPConn).CloseWrite()
				}()
				_, _ = io.Copy(outside, inside)
			}()
		}
	}()
}

// type_ has a shell run the steps, and ends at the first that does not end as the page has it. It
// gives what each has written.
func (l *laptop) types(t *testing.T, all []step, limit time.Duration) (wrote []string) {
	t.Helper()
	const mark = "\x1e"
	var script strings.Builder
	script.WriteString("export PATH=\"" + l.bin + ":$PATH\"\ncd ~/slipway\n")
	for i, s := range all {
		wanted := "-eq"
		if s.fails {
			wanted = "-ne"
		}
		fmt.Fprintf(&script, "%s\ncode=$?; printf '\\036'; if ! [ $code %s 0 ]; then echo \"exit code $code\"; exit 1; fi; (exit $code)\n", s.command, wanted)
		_ = i
	}
	l.write(t, "steps.sh", script.String(), 0o600)
	// The names are in this shell's /etc/hosts, and in nobody else's.
	const enter = "mount --make-rprivate / && mount --bind ~/hosts /etc/hosts && exec bash ~/steps.sh"
	cmd := exec.Command("sh", "-c", enter)
	cmd.Env, cmd.Dir = l.env, l.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	var out child.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd, nil)
	must(t, err)
	t.Cleanup(p.KillGroup)
	select {
	case <-p.Done:
	case <-time.After(limit):
		p.KillGroup()
		t.Errorf("the commands did not end within %s", limit)
	}
	wrote = strings.Split(out.String(), mark)
	if n := len(wrote) - 1; n < len(all) || p.Err != nil {
		at := max(0, n-1)
		if at < len(all) && strings.HasPrefix(wrote[n], "exit code") {
			t.Errorf("line %d of the page: %s\nended otherwise than the page has it (%s):\n%s", all[at].line, all[at].command, strings.TrimSpace(wrote[n]), wrote[at])
		} else {
			t.Errorf("the shell ended after %d of %d commands (%v):\n%s", n, len(all), p.Err, wrote[n])
		}
	}
	return wrote
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
