package host_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/test/dockerd"
	"slipway/test/host"
)

// as runs a command over SSH.
func as(t *testing.T, h *host.Host, user, command string) (string, error) {
	t.Helper()
	signer, err := ssh.ParsePrivateKey([]byte(h.Key))
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", h.Address(), &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error { return nil }})
	if err != nil {
		return "", err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	out, err := session.CombinedOutput(command)
	return strings.TrimSpace(string(out)), err
}

func TestBareHostsOnOneNetwork(t *testing.T) {
	lan := dockerd.NewLan(t)
	one := host.Start(t, host.Options{Name: "one", Lan: lan, Files: map[string]string{"/etc/motd": "of the test\n"}})
	two := host.Start(t, host.Options{Name: "two", Lan: lan})
	for user, want := range map[string]string{"root": "0 one of the test", host.Admin: "0 one of the test", host.Clerk: ""} {
		become := ""
		if user != "root" {
			become = "sudo -n "
		}
		if got, err := as(t, one, user, become+"sh -c 'echo $(id -u) $(hostname) $(cat /etc/motd)'"); got != want && (want != "" || err == nil) {
			t.Errorf("%s becomes root and finds %q (%v), want %q", user, got, err, want)
		}
	}
	if out, err := one.Run(t.Context(), "command -v docker dockerd registry || systemctl is-system-running --wait"); err != nil || strings.TrimSpace(out) != "running" {
		t.Errorf("a bare host says %q (%v)", out, err)
	}
	if got := two.Must("apt-get -qq update && apt-get -qq -y install openssl > /dev/null 2>&1 && openssl version"); !strings.HasPrefix(got, "OpenSSL") {
		t.Errorf("after installing a package: %q", got)
	}
	conn, err := one.Dial(t.Context(), "tcp", two.IP+":22")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()

	two.Must("echo kept > /etc/kept")
	two.Kill()
	if _, err := as(t, two, "root", "true"); err == nil {
		t.Error("a host that is down lets somebody in")
	}
	two.Up()
	if got, err := as(t, two, "root", "cat /etc/kept"); err != nil || got != "kept" {
		t.Errorf("after a boot: %q (%v)", got, err)
	}
}

// mark is in the command line of what must not outlive its test.
const mark = "8640043"

func TestNothingOutlivesATestThatIsKilled(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_VICTIM") != "" {
		h := host.Start(t, host.Options{})
		h.Must("systemd-run --quiet --unit=victim sleep " + mark)
		fmt.Println("running")
		select {}
	}
	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	victim.Env = append(os.Environ(), "SLIPWAY_TEST_VICTIM=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = victim.Process.Kill() })
	var said bytes.Buffer
	for buffer := make([]byte, 4096); !strings.Contains(said.String(), "running\n"); {
		n, err := out.Read(buffer)
		if said.Write(buffer[:n]); err != nil {
			t.Fatalf("the victim ended: %v\n%s", err, said.String())
		}
	}
	await(t, "what was started is there", func() bool { return alive(t) }) // systemd says so just before the command is
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // "signal: killed"
	await(t, "the host is gone", func() bool { return !alive(t) })
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || bytes.Contains(mounts, []byte("slipway-test/host-")) {
		t.Errorf("mounts are left (%v)", err)
	}
	left := groups(t)
	host.Start(t, host.Options{})
	for _, group := range groups(t) {
		if slices.Contains(left, group) {
			t.Errorf("the next host left %s", group)
		}
	}
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// groups are the control groups of hosts of which no process is left.
func groups(t *testing.T) (out []string) {
	t.Helper()
	all, err := filepath.Glob("/sys/fs/cgroup/*/slipway-test-host-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range all {
		if pids, err := exec.Command("sh", "-c", "find "+group+" -name cgroup.procs | xargs cat").Output(); err == nil && len(pids) == 0 {
			out = append(out, group)
		}
	}
	return out
}

// alive says whether a process has the mark in its command line.
func alive(t *testing.T) bool {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range commands {
		if line, err := os.ReadFile(command); err == nil && bytes.Contains(line, []byte(mark)) {
			return true
		}
	}
	return false
}
