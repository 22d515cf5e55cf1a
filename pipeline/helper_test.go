package pipeline

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

var linux = Platform{OS: "linux", Arch: "amd64"}

// files is a repository's files by path. Content that starts with "-> " is a symbolic
// link's target, "#!" makes a file executable.
type files map[string]string

func (f files) tree() *Tree {
	fsys := fstest.MapFS{}
	var names []string
	for name, content := range f {
		file := &fstest.MapFile{Data: []byte(content), Mode: 0o644}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			file = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		} else if strings.HasPrefix(content, "#!") {
			file.Mode = 0o755
		}
		fsys[name] = file
		names = append(names, name)
	}
	return NewTree(fsys, names)
}

// with is the same files with some changed; "" removes one.
func (f files) with(changed files) files {
	out := files{}
	for name, content := range f {
		out[name] = content
	}
	for name, content := range changed {
		if out[name] = content; content == "" {
			delete(out, name)
		}
	}
	return out
}

func (f files) repo(t testing.TB) *Repo {
	t.Helper()
	r, err := Discover(f.tree(), "example", linux)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// draft is the draft of the service, of everything.
func (f files) draft(t testing.TB, name string) *Draft {
	t.Helper()
	r := f.repo(t)
	s, err := r.Service(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.Draft(s, request())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (f files) inputs(t testing.TB, name string) *Inputs {
	t.Helper()
	return f.draft(t, name).Inputs()
}

func request() Request {
	return Request{
		Parts: Parts{Lint: true, Test: true, Image: true, Push: true},
		Tools: Toolset{
			Lint: Tool{Name: "golangci-lint", Mod: "module tools/lint\n\ngo 1.26.0\n\ntool example.com/golangci-lint\n", Sum: "lint sums\n"},
			Test: Tool{Name: "testreport", Mod: "module tools/test\n\ngo 1.26.0\n\ntool (\n\texample.com/gotestsum\n\texample.com/gocover-cobertura\n)\n", Sum: "test sums\n"},
		},
		Registry: "registry.example.com/shop/", Source: "https://git.example.com/shop/shop", CABundle: "bundle-1",
	}
}

// golden compares text with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); now it is:\n%s", file, got)
	}
}

func lines(s []string) string { return strings.Join(s, "\n") }

// says fails the test unless the error is that sentence.
func says(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("error\n got: %s\nwant: %s", got, want)
	}
}

// plan is the service's plan with a fixed tag.
func (f files) plan(t testing.TB, name string) *Plan {
	t.Helper()
	p, err := f.draft(t, name).Plan(fixedTag)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var fixedTag = Tag{Commit: "4605cc6e00000000000000000000000000000000", Time: time.Date(2024, 7, 25, 14, 30, 0, 0, time.FixedZone("", 3600))}
