package selftest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"slipway/magefiles/launch"
)

// Faults runs the tests that docs/reliability.md names, those alone, and prints its rows with what
// came of them. With fuzz, a time, each fuzz target among them then runs that long.
func Faults(fuzz *string) error {
	var each time.Duration
	if fuzz != nil {
		var err error
		if each, err = time.ParseDuration(*fuzz); err != nil || each <= 0 {
			return fmt.Errorf("-fuzz=%s is no time: write it as 30s or 10m", *fuzz)
		}
	}
	home, err := launch.Home()
	if err != nil {
		return err
	}
	faults, err := faultsOf(home)
	if err != nil {
		return err
	}
	results := map[proof]result{}
	for _, dir := range dirs(faults) {
		fmt.Fprintf(os.Stderr, "slipway: testing %s …\n", dir)
		if err := testOnly(home, dir, faults, results); err != nil {
			return err
		}
	}
	if each > 0 {
		for _, p := range fuzzTargets(faults) {
			fmt.Fprintf(os.Stderr, "slipway: fuzzing with %s of %s for %s …\n", p.name, p.dir, each)
			module, pkg := split(p.dir)
			// Go spends a minute on making each interesting input smaller, unless told otherwise.
			if err := run(filepath.Join(home, module), "go", "test", "-run=^$", "-fuzz=^"+p.name+"$", "-fuzztime="+each.String(), "-fuzzminimizetime=100x", pkg); err != nil {
				results[p] = result{state: "fail", took: results[p].took}
			}
		}
	}
	if failed := show(os.Stdout, faults, results); failed > 0 {
		return fmt.Errorf("%d of %d faults are not proven", failed, len(faults))
	}
	return nil
}

func faultsOf(home string) ([]fault, error) {
	page := filepath.Join("docs", "reliability.md")
	text, err := os.ReadFile(filepath.Join(home, page))
	if err != nil {
		return nil, fmt.Errorf("reading which faults there are: %w", err)
	}
	faults, err := readFaults(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s, %w", page, err)
	}
	return faults, nil
}

// split gives the module that a package is in, and the package as seen from there.
func split(dir string) (module, pkg string) {
	for _, m := range modules {
		if rest, ok := strings.CutPrefix(dir+"/", m.dir+"/"); ok {
			return m.dir, "./" + strings.TrimSuffix(rest, "/")
		}
	}
	return ".", "./" + dir
}

// event is a line of `go test -json` (https://pkg.go.dev/cmd/test2json).
type event struct {
	Action, Test, Output string
	Elapsed              float64
}

// testOnly runs a package's tests among the faults', and shows what the failed ones wrote.
func testOnly(home, dir string, faults []fault, results map[proof]result) error {
	module, pkg := split(dir)
	cmd := exec.Command("go", "test", "-json", "-count=1", "-timeout=45m", "-run=^("+strings.Join(namesIn(faults, dir), "|")+")$", pkg)
	cmd.Dir, cmd.Stderr = filepath.Join(home, module), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("testing %s: %w", dir, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("testing %s: %w", dir, err)
	}
	wrote := map[string]*strings.Builder{}
	for lines := json.NewDecoder(out); ; {
		var e event
		if lines.Decode(&e) != nil {
			break // its end, or what go itself says on stderr
		}
		test, _, part := strings.Cut(e.Test, "/")
		if wrote[test] == nil {
			wrote[test] = &strings.Builder{}
		}
		wrote[test].WriteString(e.Output)
		switch e.Action {
		case "pass", "fail", "skip":
			if part {
				continue
			}
			if e.Action == "fail" {
				fmt.Fprint(os.Stderr, wrote[test])
			}
			if test != "" {
				results[proof{dir, test}] = result{e.Action, time.Duration(e.Elapsed * float64(time.Second))}
			}
		}
	}
	// A test that fails is a result; anything else that is wrong leaves tests without one.
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("testing %s: %w", dir, err)
	}
	return nil
}
