package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"slipway/progress"
)

func TestCancelledCompileEndsAndHadProgress(t *testing.T) {
	t.Setenv("GOCACHE", t.TempDir()) // nothing is compiled yet
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &recorder{at: 3, then: cancel}
	dir := t.TempDir()
	_, err := Start(ctx, Options{CacheDir: dir, ServerSource: serverSource, Report: r})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want it to say that it was cancelled", err)
	}
	if r.total < 500 || !errors.Is(r.done, context.Canceled) {
		t.Errorf("the progress said %d packages in all and ended with %v", r.total, r.done)
	}
	left, err := filepath.Glob(filepath.Join(dir, "bin", "buildkitd-*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("half a program was left: %v", left)
	}
}

// recorder calls then once so many packages are compiled.
type recorder struct {
	mu    sync.Mutex
	at    int64
	then  func()
	total int64
	done  error
}

func (r *recorder) Start(string) progress.Task { return r }
func (r *recorder) Log(string)                 {}
func (r *recorder) Done(err error)             { r.done = err }

func (r *recorder) Amount(unit string, current, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if unit == "packages" && current == r.at {
		r.total = total
		r.then()
	}
}

func TestFindRunc(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	fake := filepath.Join(dir, "runc")

	must(t, os.WriteFile(fake, []byte("#!/bin/sh\necho runc version 1.9; echo libseccomp: 2.5\n"), 0o755))
	got, err := findRunc(t.Context(), sharedCache, progress.Discard())
	must(t, err)
	if got != fake {
		t.Errorf("got %s, want the one on PATH", got)
	}

	for what, script := range map[string]string{"without seccomp": "echo runc version 1.9", "broken": "exit 127"} {
		must(t, os.WriteFile(fake, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		got, err = findRunc(t.Context(), sharedCache, progress.Discard())
		must(t, err)
		if got == fake {
			t.Errorf("one that is %s was taken", what)
		}
		must(t, checkRunc(t.Context(), got))
	}

	t.Setenv("PATH", t.TempDir())
	_, err = findRunc(t.Context(), t.TempDir(), progress.Discard())
	wantError(t, err, "needs runc with seccomp", "none on PATH", "install runc", "SLIPWAY_ENGINE")
}
