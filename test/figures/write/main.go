// Write makes docs/performance.md of the figures that a run of self:bench has kept:
//
//	go run ./test/figures/write FIGURES PAGE
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"slipway/test/figures"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: write FIGURES PAGE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}

func write(from, to string) error {
	all, err := figures.Read(from)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("no benchmark kept a figure")
	}
	page := figures.Page(machine(), all)
	fmt.Print(page)
	return os.WriteFile(to, []byte(page), 0o644)
}

// machine is this one. What it does not tell is "unknown".
func machine() figures.Machine {
	memory, _ := strconv.Atoi(strings.Fields(field("/proc/meminfo", "MemTotal:") + " 0")[0])
	return figures.Machine{
		When: time.Now().UTC().Format(time.DateOnly), Commit: said("git", "rev-parse", "--short=8", "HEAD"),
		CPU: strings.TrimSpace(strings.TrimPrefix(field("/proc/cpuinfo", "model name"), ":")), Cores: runtime.NumCPU(), MemoryMB: memory / 1024,
		Versions: []string{
			"Linux " + said("uname", "-r"), strings.Replace(runtime.Version(), "go", "Go ", 1), said("dockerd", "--version"),
			"docker stack of docker/cli " + said("go", "list", "-C", "tools/dockerstack", "-m", "-f", "{{.Version}}", "github.com/docker/cli"),
			"ko " + said("go", "list", "-modfile=tools/ko.mod", "-m", "-f", "{{.Version}}", "github.com/google/ko"),
		},
	}
}

// field is what follows a key at the beginning of a line.
func field(file, key string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func said(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
