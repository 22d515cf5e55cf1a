// Package selftest runs the repository's own tests, linter and benchmarks.
package selftest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"slipway/magefiles/launch"
)

// modules are the repository's Go modules, by the name of their reports. The one with the most
// tests is last, so that its summary is what a reader sees first.
var modules = []module{
	{name: "dockerstack", dir: "tools/dockerstack", untested: true}, // Docker's own code, to be measured beside
	{name: "buildkitd", dir: "tools/buildkitd"},
	{name: "services", dir: "services"},
	{name: "ci", dir: "ci"},
	{name: "slipway", dir: "."},
}

type module struct {
	name, dir string
	untested  bool // it is compiled and vetted only
}

// Test vets and tests every module. A failure in one does not keep the others from
// running. What took long is listed at the end of each.
func Test() error {
	home, err := launch.Home()
	if err != nil {
		return err
	}
	reports := filepath.Join(home, "build", "reports")
	if err := os.MkdirAll(reports, 0o755); err != nil {
		return fmt.Errorf("making room for the reports: %w", err)
	}
	var failed []error
	// The sample services' tests start a PostgreSQL of their own where there is one.
	if err := run(home, "go", "run", "./test/aptget/need", "pg_ctlcluster", "postgresql"); err != nil {
		failed = append(failed, err)
	}
	for _, m := range modules {
		began := time.Now()
		fmt.Fprintf(os.Stderr, "slipway: testing %s …\n", m.name)
		if err := m.test(home, reports); err != nil {
			failed = append(failed, fmt.Errorf("module %s: %w", m.name, err))
		}
		fmt.Fprintf(os.Stderr, "slipway: testing %s took %s\n", m.name, time.Since(began).Round(time.Second))
	}
	return errors.Join(failed...)
}

func (m module) test(home, reports string) error {
	dir := filepath.Join(home, m.dir)
	if err := run(dir, "go", "vet", "./..."); err != nil || m.untested {
		return err
	}
	// A test binary is not stopped by `go test`'s own limit of ten minutes for a package:
	// compiling the linter in a fresh engine alone may take four.
	events := filepath.Join(reports, "self-"+m.name+".json")
	err := run(dir, "go", tool(home, "testreport", "gotestsum", "--format=pkgname", "--jsonfile="+events,
		"--junitfile="+filepath.Join(reports, "self-"+m.name+".junit.xml"), "--", "-timeout=45m", "./...")...)
	slow := run(dir, "go", tool(home, "testreport", "gotestsum", "tool", "slowest", "--jsonfile="+events, "--threshold=5s", "--num=15")...)
	return errors.Join(err, slow)
}

// E2E runs the sample system as a whole; Test does so too.
func E2E() error {
	home, err := launch.Home()
	if err != nil {
		return err
	}
	return run(home, "go", "test", "-count=1", "-timeout=45m", "-v", "./test/stack")
}

// Lint runs golangci-lint on every module.
func Lint() error {
	home, err := launch.Home()
	if err != nil {
		return err
	}
	var failed []error
	for _, m := range modules {
		if err := run(filepath.Join(home, m.dir), "go", tool(home, "golangci-lint", "golangci-lint", "run", "./...")...); err != nil {
			failed = append(failed, fmt.Errorf("module %s: %w", m.name, err))
		}
	}
	return errors.Join(failed...)
}

// Bench measures the figures that the documentation names, and writes them into
// docs/performance.md, those of benchmarks that failed left out.
func Bench() error {
	home, err := launch.Home()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "slipway-figures-")
	if err != nil {
		return fmt.Errorf("making room for the figures: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	kept := filepath.Join(dir, "figures")
	if err := os.Setenv("SLIPWAY_FIGURES", kept); err != nil {
		return err
	}
	// One package at a time, so that none is measured while another works.
	err = run(home, "go", "test", "-p=1", "-run=^$", "-bench=.", "-benchtime=5x", "-timeout=90m", "./engine/buildkit", "./test/bench", "./test/deploy")
	return errors.Join(err, run(home, "go", "run", "./test/figures/write", kept, filepath.Join("docs", "performance.md")))
}

// tool is the command line of a pinned tool.
func tool(home, pin string, args ...string) []string {
	return append([]string{"tool", "-modfile=" + filepath.Join(home, "tools", pin+".mod")}, args...)
}

func run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return nil
}
