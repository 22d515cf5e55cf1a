package dockerd_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
)

// mark is in the command line of the container that must not outlive its test.
const mark = "8640042"

func TestNothingOutlivesATestThatIsKilled(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_VICTIM") != "" {
		runUntilKilled(t)
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
	var dir string
	lines := bufio.NewScanner(out)
	for dir == "" && lines.Scan() {
		if _, host, ok := strings.Cut(lines.Text(), "running at unix://"); ok {
			dir = filepath.Dir(host)
		}
	}
	eventually(t, func() (string, error) { // Docker says "started" just before the command is
		if dir == "" || !alive(t, mark) || !alive(t, dir) {
			return "", fmt.Errorf("the daemon (in %q) or its container did not start", dir)
		}
		return "", nil
	})
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // "signal: killed"
	eventually(t, func() (string, error) {
		if alive(t, mark) || alive(t, dir) {
			return "", errors.New("the daemon or its container is alive")
		}
		return "", nil
	})
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || bytes.Contains(mounts, []byte(dir)) {
		t.Errorf("mounts are left in %s (%v)", dir, err)
	}

	dockerd.Start(t, dockerd.Options{})
	left, err := filepath.Glob("/sys/fs/cgroup/*/*" + filepath.Base(dir))
	if _, gone := os.Stat(dir); !errors.Is(gone, os.ErrNotExist) || err != nil || len(left) > 0 {
		t.Errorf("the next daemon left %s (%v) and %v (%v)", dir, gone, left, err)
	}
}

func runUntilKilled(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, alpine).Host}})
	d.Pull(t, alpine)
	d.Create(t, &container.Config{Image: alpine, Cmd: []string{"sleep", mark}}, nil)
	fmt.Printf("running at %s\n", d.Host)
	select {}
}

// alive says whether a process has text in its command line.
func alive(t *testing.T, text string) bool {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range commands {
		if line, err := os.ReadFile(command); err == nil && bytes.Contains(line, []byte(text)) {
			return true
		}
	}
	return false
}
