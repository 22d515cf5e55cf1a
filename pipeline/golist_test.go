package pipeline

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// The closure is a reading of the go command's rules: here it meets the go command itself
// on the sample services.
func TestTheClosureIsWhatGoListSays(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = filepath.WalkDir(filepath.Join(root, "services"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.ToSlash(strings.TrimPrefix(p, root+string(filepath.Separator))))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Discover(NewTree(os.DirFS(root), names), "example", linux)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ping", "backend"} {
		t.Run(name, func(t *testing.T) {
			s, err := r.Service(name)
			if err != nil {
				t.Fatal(err)
			}
			d, err := r.Draft(s, request())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range d.closure.Packages {
				got = append(got, p.Dir)
			}
			packages := goList(t, root, d.targets())
			var want []string
			for dir, read := range packages {
				want = append(want, dir)
				for _, f := range read {
					if !d.Inputs().Match(path.Join(dir, f)) {
						t.Errorf("%s of %s is no input, and go list says it is read", f, dir)
					}
				}
			}
			sort.Strings(want)
			if lines(got) != lines(want) {
				t.Errorf("the closure is\n%s\nand go list says\n%s", lines(got), lines(want))
			}
		})
	}
}

// goList returns, by directory, the files that the go command reads of the packages of
// this repository that the targets need.
func goList(t *testing.T, root string, targets []string) map[string][]string {
	t.Helper()
	fields := []string{"GoFiles", "TestGoFiles", "XTestGoFiles", "EmbedFiles", "TestEmbedFiles", "XTestEmbedFiles"}
	cmd := exec.Command("go", append([]string{"list", "-e", "-deps", "-test", "-json=Dir,Standard,ForTest," + strings.Join(fields, ",")}, targets...)...)
	cmd.Dir = filepath.Join(root, "services")
	cmd.Env = append(os.Environ(), "GOOS="+linux.OS, "GOARCH="+linux.Arch, "CGO_ENABLED=0", "GOFLAGS=")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	packages := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p map[string]any
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		full, _ := p["Dir"].(string)
		dir, ok := strings.CutPrefix(full, root+string(filepath.Separator))
		if !ok || p["Standard"] != nil {
			continue
		}
		dir = filepath.ToSlash(dir)
		packages[dir] = append(packages[dir], []string{}...)
		for _, field := range fields {
			list, _ := p[field].([]any)
			for _, f := range list {
				if name, _ := f.(string); !filepath.IsAbs(name) { // a generated test main is in the cache
					packages[dir] = append(packages[dir], name)
				}
			}
		}
	}
	return packages
}
