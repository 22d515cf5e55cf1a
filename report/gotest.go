package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// testEvent is a line of `go test -json` (go doc test2json).
type testEvent struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
}

// testKey names a test, or a package ("" as test), or a failed build (its import path).
type testKey struct{ pkg, test string }

// testRun is what `go test -json` told.
type testRun struct {
	output  map[testKey]*strings.Builder
	running []testKey        // begun and not ended
	failed  []testKey        // in the order in which they ended
	told    map[testKey]bool // failed, and something below says why
	builds  map[testKey]bool // these keys are builds
}

// FromTests reads `go test -json` and returns the failures: each failed test with what it
// printed, and each package that did not compile or ended outside a test.
func FromTests(data []byte, m Module) []Finding {
	r := testRun{output: map[testKey]*strings.Builder{}, told: map[testKey]bool{}, builds: map[testKey]bool{}}
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var e testEvent
		if json.Unmarshal(sc.Bytes(), &e) == nil {
			r.take(e)
		}
	}
	var out []Finding
	for _, key := range r.failed {
		log := ""
		if b := r.output[key]; b != nil {
			log = b.String()
		}
		dir := m.dir(key.pkg)
		switch {
		case r.builds[key]:
			// The compiler names files relative to where it ran.
			if list := FromOutput(log, m.Dir); len(list) > 0 {
				out = append(out, list...)
			} else {
				out = append(out, testFinding("", log, m.Dir, m.Dir))
			}
		case r.told[key]:
			// A test that failed by its subtests may have something to say itself.
			if f := testFinding(key.test, log, dir, dir); key.test != "" && f.Line > 0 {
				out = append(out, f)
			}
		default:
			out = append(out, testFinding(key.test, log, dir, dir))
		}
	}
	return out
}

func (r *testRun) take(e testEvent) {
	key := testKey{e.Package, e.Test}
	switch e.Action {
	case "run":
		r.running = append(r.running, key)
	case "pass", "skip":
		r.ended(key)
	case "build-output":
		r.print(testKey{pkg: e.ImportPath}, e.Output)
	case "output":
		r.print(key, e.Output)
	case "build-fail":
		key = testKey{pkg: e.ImportPath}
		r.builds[key] = true
		r.failed = append(r.failed, key)
	case "fail":
		if e.Test == "" {
			if e.FailedBuild != "" {
				return // the build says it
			}
			r.unfinished(e.Package)
		}
		r.ended(key)
		r.fail(key)
	}
}

func (r *testRun) print(key testKey, text string) {
	if r.output[key] == nil {
		r.output[key] = &strings.Builder{}
	}
	r.output[key].WriteString(text)
}

func (r *testRun) ended(key testKey) {
	r.running = slices.DeleteFunc(r.running, func(k testKey) bool { return k == key })
}

func (r *testRun) fail(key testKey) {
	r.failed = append(r.failed, key)
	if key.test == "" {
		return
	}
	r.told[testKey{pkg: key.pkg}] = true
	for i, c := range key.test {
		if c == '/' {
			r.told[testKey{key.pkg, key.test[:i]}] = true
		}
	}
}

// unfinished fails the tests of a package that had not ended when its process did: by a
// timeout, by os.Exit, or killed. Nothing else names them. Where a test says what ended the
// process, those that ran beside it are left out.
func (r *testRun) unfinished(pkg string) {
	explained := r.told[testKey{pkg: pkg}]
	var left []testKey
	for _, key := range r.running {
		if key.pkg != pkg {
			continue
		}
		explained = explained || r.died(key)
		if !slices.ContainsFunc(r.running, func(k testKey) bool { return k.pkg == pkg && strings.HasPrefix(k.test, key.test+"/") }) {
			left = append(left, key)
		}
	}
	for _, key := range left {
		switch {
		case r.died(key):
			r.fail(key)
		case !explained:
			r.print(key, "the test's process ended before the test did: it called os.Exit, or was killed\n")
			r.fail(key)
		}
	}
	r.running = slices.DeleteFunc(r.running, func(k testKey) bool { return k.pkg == pkg })
}

// died reports whether a test's output has the end of its process.
func (r *testRun) died(key testKey) bool {
	b := r.output[key]
	return b != nil && (strings.Contains(b.String(), "panic: ") || strings.Contains(b.String(), "fatal error: "))
}

// noise are lines of a test's output that say nothing about why it failed.
var noise = regexp.MustCompile(`^\s*(=== (RUN|PAUSE|CONT|NAME)\b.*|--- (FAIL|PASS|SKIP): .*|FAIL|PASS|ok\s.*|FAIL\s.*|coverage: .*|exit status \d+|# .*|=+|goroutine \d+ \[.*\]:)$`)

// frame is the place of a stack trace's frame; the line before it names the function.
var frame = regexp.MustCompile(`^\s+(\S+\.(?:go|s)):(\d+)(?: \+0x[0-9a-f]+)?$`)

// testFinding makes a finding of what a test printed, placed at the first file of the
// repository that it names. base is what relative paths in the output are relative to.
func testFinding(test, log, dir, base string) Finding {
	f := Finding{File: dir}
	var text []string
	for _, line := range strings.Split(strings.TrimRight(log, "\n"), "\n") {
		if noise.MatchString(line) || strings.TrimSpace(line) == "" {
			continue
		}
		if m := frame.FindStringSubmatch(line); m != nil {
			file, ok := inRepo(m[1], base)
			switch {
			case !ok || path.Base(m[1]) == "_testmain.go": // Go's own code: of no interest
				text = text[:max(0, len(text)-1)]
				continue
			case f.Line == 0:
				f.File = file
				f.Line, _ = strconv.Atoi(m[2])
			}
			text = append(text, file+":"+m[2])
			continue
		}
		if m := place.FindStringSubmatch(line); m != nil && f.Line == 0 {
			if file, ok := inRepo(m[1], base); ok {
				f.File = file
				f.Line, _ = strconv.Atoi(m[2])
				if line = m[3]; line == "" {
					continue
				}
			}
		}
		text = append(text, strings.TrimSpace(line))
	}
	const most = 40
	if len(text) > most {
		text = append(text[:most], "…")
	}
	f.Text = strings.Join(text, "\n    ")
	if test != "" && f.Text != "" {
		f.Text = test + ": " + f.Text
	}
	return f
}
