package embedded

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
)

func TestBuildsFilesAndRunsCommands(t *testing.T) {
	c := connect(t, started(t, options(t)))

	out, err := solve(t.Context(), t, c, llb.Scratch().File(llb.Mkfile("/hello", 0o644, []byte("hi"))), nil)
	must(t, err)
	wantFile(t, filepath.Join(out, "hello"), "hi")

	root, mounts := shell(t)
	run := root.Run(llb.Args([]string{"/bin/sh", "-c", "echo $((6*7)) >/out; exec /bin/busybox grep -c Seccomp:.2 /proc/self/status >>/out"}))
	out, err = solve(t.Context(), t, c, run.Root(), mounts)
	must(t, err)
	wantFile(t, filepath.Join(out, "out"), "42\n1\n") // seccomp filters are on
}

func TestFailingCommandSaysItsExitCode(t *testing.T) {
	c := connect(t, started(t, options(t)))
	root, mounts := shell(t)
	_, err := solve(t.Context(), t, c, root.Run(llb.Args([]string{"/bin/sh", "-c", "exit 7"})).Root(), mounts)
	if err == nil || !strings.Contains(err.Error(), "exit code: 7") {
		t.Fatalf("got %v, want exit code 7", err)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	must(t, err)
	if string(got) != want {
		t.Fatalf("%s holds %q, want %q", filepath.Base(path), got, want)
	}
}
