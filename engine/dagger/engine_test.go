package dagger

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	sdk "dagger.io/dagger"

	"slipway/engine"
	"slipway/pipeline"
	"slipway/progress"
)

// base is small, and has a shell.
const base = "alpine:3.20"

// onEngine gives a Runner on the Dagger engine that is there. Without one the test says so
// and does not run: this repository cannot bring an engine along.
func onEngine(t *testing.T) *Runner {
	t.Helper()
	if !There(t.Context()) {
		t.Skip("NOT RUN: there is no Dagger engine. Put Dagger's CLI v0.21.8 on PATH, with Docker or " + RunnerHost + " naming its engine")
	}
	c, err := Connect(t.Context(), progress.Discard(), Patience)
	must(t, err)
	r, err := New(t.Context(), c, Options{Parallel: 2, OnClose: c.Close})
	must(t, err)
	t.Cleanup(func() { _ = r.Close() }) // the test's context has ended, and the session with it
	return r
}

// shell is a step that runs a script in the base image.
func shell(id, script string, needs ...string) pipeline.Step {
	return pipeline.Step{ID: id, Name: id, Needs: needs, Run: &pipeline.Run{
		On: pipeline.Root{Image: base}, Dir: "/src", Args: []string{"sh", "-c", script}, Mounts: []pipeline.Mount{{Target: "/src", Source: "files"}},
	}}
}

func run(t *testing.T, r *Runner, repo string, steps ...pipeline.Step) (*engine.Result, string) {
	t.Helper()
	build := t.TempDir()
	plan := &pipeline.Plan{Service: "svc", Platform: "linux/amd64", Sources: []pipeline.Source{{Name: "files", Root: ".", Files: []string{"in.txt"}}}, Steps: steps}
	res, err := r.Run(t.Context(), engine.Job{Plan: plan, Root: repo, Build: build, Secrets: map[string][]byte{"token": []byte("s3cret-value")}})
	must(t, err)
	return res, build
}

func repo(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "in.txt"), []byte(content), 0o600))
	return dir
}

func states(r *engine.Result) string {
	var out []string
	for _, s := range r.Steps {
		out = append(out, s.ID+" "+string(s.State))
	}
	return strings.Join(out, ", ")
}

// A step that another session has run is not run again, and is said to be cached; one whose
// input changed runs.
func TestWhatWasRunIsCachedForTheNextSession(t *testing.T) {
	nonce := t.TempDir()
	for i, want := range []string{"a done, b done, out done", "a cached, b cached, out done"} {
		a, b := shell("a", "cat in.txt >/out/x"), shell("b", "cat /a/x /a/x >/out/y", "a")
		b.Run.Mounts = append(b.Run.Mounts, pipeline.Mount{Target: "/a", Step: "a"})
		out := pipeline.Step{ID: "out", Name: "out", Needs: []string{"b"}, Export: &pipeline.Export{Step: "b", Path: "y", To: "dir/y"}}
		res, build := run(t, onEngine(t), repo(t, nonce), a, b, out)
		if got := states(res); got != want {
			t.Errorf("session %d: %s, want %s", i+1, got, want)
		}
		if data, err := os.ReadFile(filepath.Join(build, "dir/y")); err != nil || string(data) != nonce+nonce {
			t.Errorf("session %d exported %q (%v)", i+1, data, err)
		}
	}
}

// A failed verdict leaves its reports, and who repeats it has it run again.
func TestAFailedVerdictIsNotBelievedTwice(t *testing.T) {
	nonce := t.TempDir()
	for range 2 {
		step := shell("check", "echo found it; cat /proc/sys/kernel/random/uuid >/out/test.json; echo 3 >/out/exit")
		step.Run.Verdict = true
		step.Run.Mounts = append(step.Run.Mounts, pipeline.Mount{Target: "/cache", Cache: "engine-test"})
		report := pipeline.Step{ID: "report", Name: "report", Needs: []string{"check"}, Export: &pipeline.Export{Step: "check", Path: "test.json", To: "r.json"}}
		none := pipeline.Step{ID: "none", Name: "none", Needs: []string{"check"}, Export: &pipeline.Export{Step: "check", Path: "absent", To: "none"}}
		res, build := run(t, onEngine(t), repo(t, nonce), step, report, none)
		if got, want := states(res), "check failed, report skipped, none skipped"; got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		f := res.Steps[0].Failure
		if f.Exit != 3 || f.Message != "check failed with exit status 3" || strings.TrimSpace(f.Log) != "found it" {
			t.Errorf("the failure is %+v", f)
		}
		data, err := os.ReadFile(filepath.Join(build, "r.json"))
		must(t, err)
		if string(data) != string(f.Reports["test.json"]) {
			t.Errorf("exported %q, and reported %q", data, f.Reports["test.json"])
		}
		if seen := string(data); seen == lastReport {
			t.Error("the second session believed the first one's failure")
		} else {
			lastReport = seen
		}
	}
}

var lastReport string

// A command that fails without a verdict is a failure with its output; what needs it is skipped.
func TestACommandThatFails(t *testing.T) {
	res, _ := run(t, onEngine(t), repo(t, "x"), shell("build", "echo to-stdout; echo to-stderr >&2; exit 7"), shell("next", "true", "build"))
	if got, want := states(res), "build failed, next skipped"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	f := res.Steps[0].Failure
	if f.Exit != 7 || !strings.Contains(f.Log, "to-stdout") || !strings.Contains(f.Log, "to-stderr") {
		t.Errorf("the failure is %+v", f)
	}
}

// A secret is there for the command, readable, and one that the caller lacks is not mounted.
func TestSecretsAreMounted(t *testing.T) {
	step := shell("s", "test \"$(cat /run/token)\" = s3cret-value && stat -c %a /run/token >/out/mode; test ! -e /run/other && echo absent >/out/other")
	step.Run.Mounts = append(step.Run.Mounts, pipeline.Mount{Target: "/run/token", Secret: "token"}, pipeline.Mount{Target: "/run/other", Secret: "other"})
	mode := pipeline.Step{ID: "mode", Name: "mode", Needs: []string{"s"}, Export: &pipeline.Export{Step: "s", Path: "mode", To: "mode"}}
	other := pipeline.Step{ID: "other", Name: "other", Needs: []string{"s"}, Export: &pipeline.Export{Step: "s", Path: "other", To: "other"}}
	_, build := run(t, onEngine(t), repo(t, t.TempDir()), step, mode, other)
	for file, want := range map[string]string{"mode": "444\n", "other": "absent\n"} {
		if data, err := os.ReadFile(filepath.Join(build, file)); err != nil || string(data) != want {
			t.Errorf("%s: %q (%v), want %q", file, data, err, want)
		}
	}
}

// The errors of a Dockerfile say where and what to do.
func TestErrorsOfADockerfile(t *testing.T) {
	r := onEngine(t)
	for name, test := range map[string]struct{ dockerfile, want string }{
		"no such file in the context": {"FROM " + base + "\nCOPY absent.txt /\n", "absent.txt is not in the build context"},
		"a command fails":             {"FROM " + base + "\nRUN echo words; exit 5\n", "image failed with exit status 5"},
		"no such image":               {"FROM " + base + "-absent\n", "a base image is not to be had"},
		"no Dockerfile":               {"FORM " + base + "\n", "unknown instruction: FORM"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repo(t, "x")
			must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(test.dockerfile), 0o600))
			res, _ := run(t, r, dir, pipeline.Step{ID: "image", Name: "image", Build: &pipeline.Build{Dockerfile: "Dockerfile", Source: "files", Check: true}})
			if len(res.Failed()) != 1 {
				t.Fatal(states(res))
			}
			if f := res.Steps[0].Failure; !strings.Contains(f.Message, test.want) || f.File != "Dockerfile" {
				t.Errorf("%+v, want %q", f, test.want)
			}
		})
	}
}

// A cancelled run is an error that says why, and leaves no scratch behind.
func TestAnInterruptedRun(t *testing.T) {
	r := onEngine(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	build, dir := t.TempDir(), repo(t, t.TempDir())
	var once sync.Once
	r.upload = func(d string) *sdk.Directory {
		once.Do(func() { cancel(context.Canceled) })
		return r.c.Host().Directory(d)
	}
	plan := &pipeline.Plan{Service: "svc", Platform: "linux/amd64", Sources: []pipeline.Source{{Name: "files", Root: ".", Files: []string{"in.txt"}}}, Steps: []pipeline.Step{shell("a", "sleep 60")}}
	_, err := r.Run(ctx, engine.Job{Plan: plan, Root: dir, Build: build})
	if err == nil || !strings.HasPrefix(err.Error(), "building svc was interrupted") {
		t.Errorf("Run: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(build, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
