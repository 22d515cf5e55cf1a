package debian

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// countCalls puts a program before the real one on PATH that notes its arguments, and
// returns how many calls had an argument.
func countCalls(t *testing.T, program string) func(argument string) int {
	t.Helper()
	real, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("these tests need a Debian: %v", err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	script(t, filepath.Join(dir, program), fmt.Sprintf("echo \" $* \" >> %s; exec %s \"$@\"", log, real))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func(argument string) (n int) {
		content, _ := os.ReadFile(log)
		for line := range strings.Lines(string(content)) {
			if strings.Contains(line, " "+argument+" ") {
				n++
			}
		}
		return n
	}
}

func script(t *testing.T, file, body string) {
	t.Helper()
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// aptConfig changes the machine's apt settings for one test, as a file read before them.
func aptConfig(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "apt.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APT_CONFIG", file)
}

func waitFor(t *testing.T, file string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not appear", file)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func hostArch(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("dpkg", "--print-architecture").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func machineOf(t *testing.T, program string) string {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	switch f.Machine {
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_X86_64:
		return "amd64"
	default:
		return f.Machine.String()
	}
}
