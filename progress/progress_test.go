package progress

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPlain(t *testing.T) {
	var out strings.Builder
	r := Plain(&out, 0)
	task := r.Start("compiling the server, once for this version")
	task.Amount("packages", 12, 905)
	task.Amount("bytes", 12_500_000, 0)
	task.Log("taking a while")
	task.Done(nil)
	task.Done(errors.New("too late to count"))
	r.Start("fetching runc").Done(errors.New("no network"))

	got := regexp.MustCompile(`[\d.]+m?s\b`).ReplaceAllString(out.String(), "TIME")
	want := `slipway: compiling the server, once for this version …
slipway: compiling the server, once for this version: 12 of 905 packages
slipway: compiling the server, once for this version: 12.5 MB
slipway: compiling the server, once for this version: taking a while
slipway: compiling the server, once for this version: done in TIME
slipway: fetching runc …
slipway: fetching runc: failed after TIME
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPlainDoesNotFlood(t *testing.T) {
	var out strings.Builder
	task := Plain(&out, time.Hour).Start("x")
	for i := range int64(1000) {
		task.Amount("packages", i, 1000)
	}
	task.Done(nil)
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d lines for one task within an hour, want 2:\n%s", n, out.String())
	}
}
