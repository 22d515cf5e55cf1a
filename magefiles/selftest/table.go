package selftest

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// fault is a row of the tables in docs/reliability.md.
type fault struct {
	section, name, does string
	tests               []proof
}

// proof is a test by its package, a directory of the repository.
type proof struct{ dir, name string }

// result is how a test ended: pass, fail or skip; "" where it did not run.
type result struct {
	state string
	took  time.Duration
}

var (
	// proofs are one package's in a cell: "`deploy/ssh`: TestA, TestB".
	proofs   = regexp.MustCompile("^`([a-z0-9_/]+)`: (.+)$")
	testName = regexp.MustCompile(`^(Test|Fuzz)[A-Z]\w*$`)
)

// readFaults reads the tables of a page whose rows are a fault, what slipway does, and the tests
// that prove it, below the headings of sections. An error names the line that cannot be
// understood.
func readFaults(page string) (out []fault, err error) {
	section, header := "", false
	for i, line := range strings.Split(page, "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = heading
		}
		inside, ok := strings.CutPrefix(line, "| ")
		switch {
		case !ok:
			header = false
			continue
		case !header: // the first two rows are the head and the rule below it
			header = true
			continue
		case strings.HasPrefix(inside, "---"):
			continue
		}
		cells := strings.Split(strings.TrimSuffix(inside, " |"), " | ")
		if len(cells) != 3 {
			return nil, fmt.Errorf("line %d: a row has the fault, what is done about it, and the tests, and this one has %d cells", i+1, len(cells))
		}
		f := fault{section: section, name: cells[0], does: cells[1]}
		for _, part := range strings.Split(cells[2], "; ") {
			m := proofs.FindStringSubmatch(part)
			if m == nil {
				return nil, fmt.Errorf("line %d: %q is no list of tests, such as `deploy/ssh`: TestA, TestB", i+1, part)
			}
			for _, name := range strings.Split(m[2], ", ") {
				if !testName.MatchString(name) {
					return nil, fmt.Errorf("line %d: %q is no test's name", i+1, name)
				}
				f.tests = append(f.tests, proof{m[1], name})
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// all are the tests of faults, each once, by package and name.
func all(faults []fault) (out []proof) {
	for _, f := range faults {
		out = append(out, f.tests...)
	}
	slices.SortFunc(out, func(a, b proof) int { return strings.Compare(a.dir+" "+a.name, b.dir+" "+b.name) })
	return slices.Compact(out)
}

func dirs(faults []fault) (out []string) {
	for _, p := range all(faults) {
		out = append(out, p.dir)
	}
	return slices.Compact(out)
}

func namesIn(faults []fault, dir string) (out []string) {
	for _, p := range all(faults) {
		if p.dir == dir {
			out = append(out, p.name)
		}
	}
	return out
}

func fuzzTargets(faults []fault) []proof {
	return slices.DeleteFunc(all(faults), func(p proof) bool { return !strings.HasPrefix(p.name, "Fuzz") })
}

// show prints each fault with its tests' results, and counts those that are not proven: a test
// that was skipped, or is not there, proves nothing.
func show(w io.Writer, faults []fault, results map[proof]result) (failed int) {
	words := map[string]string{"pass": "ok", "fail": "FAILED", "skip": "skipped", "": "did not run"}
	section := ""
	for _, f := range faults {
		if f.section != section {
			section = f.section
			_, _ = fmt.Fprintf(w, "\n%s\n", section)
		}
		var took time.Duration
		var missing []string
		for _, p := range f.tests {
			took += results[p].took
			if s := results[p].state; s != "pass" {
				missing = append(missing, fmt.Sprintf("%s of %s %s", p.name, p.dir, words[s]))
			}
		}
		mark := "ok  "
		if missing != nil {
			failed++
			mark = "FAIL"
		}
		_, _ = fmt.Fprintf(w, "%s %6.1fs  %s\n", mark, took.Seconds(), f.name)
		for _, m := range missing {
			_, _ = fmt.Fprintf(w, "               %s\n", m)
		}
	}
	_, _ = fmt.Fprintf(w, "\n%d of %d faults are proven\n", len(faults)-failed, len(faults))
	return failed
}
