package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"slipway/test/baseimage"
	"slipway/test/gitrepo"
)

// second is a clone of a repository on another machine: a directory, and the run's record as it
// was downloaded.
type second struct {
	clone  *gitrepo.Repo
	record string
	tmp    string
}

func (s *second) take(t testing.TB, from *gitrepo.Repo, name string) {
	t.Helper()
	s.record = filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(s.record, []byte(read(t, file(from, "build/"+name))), 0o644))
}

// repro runs ci:repro in the clone, and wants nothing of it left there.
func (s *second) repro(t testing.TB, code int, env []string, args ...string) result {
	t.Helper()
	s.tmp = t.TempDir()
	before := tree(t, s.clone.Dir)
	r := in(s.clone.Dir, append([]string{"TMPDIR=" + s.tmp}, env...)...).slipway(t, append([]string{"ci:repro"}, args...)...).Exits(t, code)
	s.clean(t, before)
	return r
}

func (s *second) clean(t testing.TB, before string) {
	t.Helper()
	if after := tree(t, s.clone.Dir); after != before {
		t.Errorf("the clone was changed:\n%s", after)
	}
	if list := s.clone.Git("worktree", "list", "--porcelain"); strings.Count(list, "worktree ") != 1 {
		t.Errorf("a worktree is left:\n%s", list)
	}
	if left, err := filepath.Glob(filepath.Join(s.tmp, "slipway-repro-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// repeatLine are the words of the command that a run ends with.
func repeatLine(t testing.TB, r result) []string {
	t.Helper()
	_, line, ok := strings.Cut(r.Stderr, "slipway: to repeat this: go tool mage ")
	if !ok || strings.Count(line, "\n") != 1 {
		t.Fatalf("the run does not end with the line that repeats it:\n%s", end(r.Stderr))
	}
	return strings.Fields(line)
}

const failingTest = `package main

import "testing"

func TestSum(t *testing.T) {
	if got := 1 + 1; got != 3 {
		t.Errorf("1 + 1 is %d, want 3", got)
	}
}
`

func TestAFailureOfCIIsReproducedOnASecondClone(t *testing.T) {
	for _, test := range []struct{ name, path, content, says string }{
		{"test", "services/alpha/sum_test.go", failingTest, `reproduced: test alpha failed with exit status 1
    services/alpha/sum_test.go:7: TestSum: 1 + 1 is 2, want 3
`},
		{"lint", "services/alpha/extra.go", "package main\n\nimport \"os\"\n\nfunc init() {\n\tos.Remove(\"x\")\n}\n", `reproduced: lint alpha failed with exit status 1
    services/alpha/extra.go:6: Error return value of ` + "`os.Remove`" + ` is not checked (errcheck)
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := sample(t, "alpha")
			s := second{clone: r.Clone(t)} // which does not have the commit yet
			r.Switch("feature")
			r.Write(test.path, test.content)
			head := r.Commit("Break it", later(1))
			run := in(r.Dir).slipway(t, "ci:run", "-event=merge", "-labels=tests", "-branch=feature", "-only=check").Exits(t, 1)
			s.take(t, r, "ci.json")
			s.repro(t, 0, nil, s.record).Prints(t, test.says, "\nThe failure is reproduced.\n")

			line := repeatLine(t, run)
			if got, want := strings.Join(line, " "), "ci:repro "+head+" -event=merge -labels=tests -branch=feature -only=check"; got != want {
				t.Errorf("the run ends with %s, want %s", got, want)
			}
			again := s.repro(t, 1, nil, line[1:]...)
			if !strings.Contains(again.Stderr, strings.TrimSpace(strings.Split(test.says, "\n")[1])) || !strings.Contains(again.Stderr, "slipway: alpha failed") {
				t.Errorf("repeated by the commit, stderr ends\n%s", end(again.Stderr))
			}
		})
	}
}

// The repetition has an engine of its own that has built nothing yet.
func TestADockerfileErrorAndADigestAreReproducedOnAnEmptyCache(t *testing.T) {
	mirror := baseimage.Mirror(t, "alpine:3.20")
	base := []string{"REGISTRY_MIRROR=" + mirror.Host}
	first, empty := append(base, "SLIPWAY_CACHE="+ownCache(t)), append(base[:1:1], "SLIPWAY_CACHE="+ownCache(t))
	r := packed(t, map[string]string{"Dockerfile": "FROM alpine:3.20\nRUN echo compiled > /made\n"})
	good := in(r.Dir, first...).slipway(t, "ci:run", "-event=tag", "-only=check").Exits(t, 0)
	s := second{}
	s.take(t, r, "ci.json")
	r.Write("services/box/Dockerfile", "FROM alpine:3.20\nRUN echo compiling the thing > /made; cat /made; exit 3\n")
	r.Commit("Break it", later(1))
	s.clone = r.Clone(t)
	s.repro(t, 0, empty, s.record).Prints(t, "\nsame: "+good.Stdout, "\nThe run is reproduced: nothing differs.\n")

	in(r.Dir, first...).slipway(t, "ci:run", "-event=tag", "-only=check").Exits(t, 1)
	s.take(t, r, "ci.json")
	s.repro(t, 0, empty, s.record).Prints(t, "reproduced: image box failed with exit status 3\n    services/box/Dockerfile:2: ", "\nThe failure is reproduced.\n")

	screen := s.shell(t, empty, "cat /made\n", "compiling the thing", "exit\n")
	if !strings.Contains(screen, "The failure is reproduced.") {
		t.Errorf("after the shell the screen has\n%s", screen)
	}
}

func TestWhatPassesTheSecondTimeDiffers(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	r := sample(t, "alpha")
	r.Write("services/alpha/flaky_test.go", fmt.Sprintf(askGo, server.Listener.Addr(), rand.Text()))
	r.Commit("Depend on the network", later(1))
	in(r.Dir).slipway(t, "build:test", "alpha").Exits(t, 1)
	s := second{clone: r.Clone(t)}
	s.take(t, r, "run.json")
	s.repro(t, 1, nil, s.record).Prints(t, `differs: test alpha failed then, and passes here; then: test alpha failed with exit status 1
    services/alpha/flaky_test.go:21: TestAsk: HTTP/1.0 503 Service Unavailable
`, "\nThe run is not reproduced: here it behaves otherwise.\n")
	if asked.Load() != 2 {
		t.Errorf("the server was asked %d times", asked.Load())
	}
}

func TestUncommittedChangesAreNamed(t *testing.T) {
	r := sample(t, "alpha")
	r.Write("services/alpha/sum_test.go", failingTest)
	run := in(r.Dir).slipway(t, "ci:run", "-only=check").Exits(t, 1)
	if line := repeatLine(t, run); line[0] != "ci:run" {
		t.Errorf("a run of what is not committed ends with %q", line)
	}
	s := second{clone: r.Clone(t)}
	s.take(t, r, "ci.json")
	s.repro(t, 1, nil, s.record).Prints(t, "differs: test alpha failed then, and passes here", "may be why: the run had uncommitted changes, which are not here: services/alpha/sum_test.go\n")
}

func TestARefusalIsReproduced(t *testing.T) {
	r := sample(t, "alpha")
	in(r.Dir).slipway(t, "ci:run", "-event=merge", "-labels=build-alfa").Exits(t, 2)
	s := second{clone: r.Clone(t)}
	s.take(t, r, "ci.json")
	s.repro(t, 0, nil, s.record).Prints(t, `reproduced: the label build-alfa asks for an image of the service "alfa", which does not exist: did you mean build-alpha?`)
}

func TestReproRefusesWhatIsNoRun(t *testing.T) {
	r := sample(t, "alpha")
	s := second{clone: r.Clone(t)}
	nowhere := strings.Repeat("0123456789", 4)
	write := func(name, content string) string {
		f := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(f, []byte(content), 0o644))
		return f
	}
	record := func(change func(map[string]any)) string {
		rec := map[string]any{"version": 1, "commit": nowhere, "with": map[string]any{"commit": nowhere, "project": "shop"}, "parts": []string{"test"}, "services": []any{map[string]any{"service": "alpha"}}}
		change(rec)
		data, err := json.Marshal(rec)
		must(t, err)
		return write("run.json", string(data))
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{nowhere}, "slipway: the commit " + nowhere + " is not in this clone, and its remote does not give it: is this a clone of the repository that the run was of?"},
		{[]string{record(func(map[string]any) {})}, "slipway: the commit " + nowhere + " is not in this clone, and its remote does not give it"},
		{[]string{write("run.json", `{"version": 1, "comm`)}, "run.json is damaged, or no record of a run: unexpected end of JSON input"},
		{[]string{write("run.json", `{"version": 1}`)}, `run.json is damaged: it names no commit ("")`},
		{[]string{write("run.json", `{"name": "package"}`)}, "run.json is no record of a run: build/ci.json and build/run.json are"},
		{[]string{record(func(r map[string]any) { r["version"] = 2 })}, "run.json was written by a newer slipway (format 2, and this one knows 1): use the version that the run had"},
		{[]string{record(func(r map[string]any) { r["commit"] = "--upload-pack=x" })}, `run.json is damaged: it names no commit ("--upload-pack=x")`},
		{[]string{record(func(r map[string]any) { r["with"].(map[string]any)["project"] = "../shop" })}, "run.json is damaged: it does not say what the repository's directory was called"},
		{[]string{r.Dir}, r.Dir + " is a directory: name the run's record in it, ci.json or run.json"},
		{[]string{"main~1"}, "slipway: main~1 is neither a file, nor an address (https://…), nor a commit"},
		{[]string{"http://example.com/ci.json"}, "slipway: http://example.com/ci.json is not read: a run's record comes by https"},
		{[]string{record(func(map[string]any) {}), "-labels=tests"}, "slipway: -labels belongs to a commit, and "},
		{[]string{r.Head(), "-only=tests"}, "slipway: -only=tests: write check, images or deploy"},
		{[]string{"-shell=true"}, `slipway: "-shell=true" stands where a run belongs`},
	} {
		if got := s.repro(t, 2, nil, test.args...); !strings.Contains(got.Stderr, test.says) || got.Stdout != "" {
			t.Errorf("ci:repro %s says\n%s\nwant %s", strings.Join(test.args, " "), got.Stderr, test.says)
		}
	}
}
