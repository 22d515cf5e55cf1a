package worktree

import (
	"context"
	"sort"
	"strings"
	"testing"
	"time"

	"slipway/pipeline"
	"slipway/test/gitrepo"
)

const (
	mainGo  = "package main\n\nfunc main() {}\n"
	goMod   = "module example.com/shop\n\ngo 1.26.8\n"
	scratch = "FROM scratch\nARG SERVICE\nCOPY build/${SERVICE} /app\n"
)

// at is a time so many hours after the first commit.
func at(hours int) time.Time { return gitrepo.Epoch.Add(time.Duration(hours) * time.Hour) }

// shop makes a repository with the services ping and web, and their first commit.
func shop(t *testing.T) (*gitrepo.Repo, string) {
	t.Helper()
	r := gitrepo.New(t)
	r.Write(".gitignore", "/build\n*.log\n")
	r.Write("go.mod", goMod)
	r.Write("services/Dockerfile", scratch)
	r.Write("services/ping/main.go", mainGo)
	r.Write("services/web/Dockerfile", "FROM scratch\nCOPY web/public /\n")
	r.Write("services/web/public/index.html", "hi\n")
	return r, r.Commit("Add ping and web", at(0))
}

func open(t *testing.T, dir string) *Worktree {
	t.Helper()
	w, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// inputs are those of every service there is.
func (w *Worktree) inputs(t *testing.T) map[string]*pipeline.Inputs {
	t.Helper()
	r, err := pipeline.Discover(w.Tree, "example", pipeline.Platform{OS: "linux", Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]*pipeline.Inputs{}
	for i := range r.Services {
		d, err := r.Draft(&r.Services[i], pipeline.Request{Parts: pipeline.Check})
		if err != nil {
			t.Fatal(err)
		}
		inputs[r.Services[i].Name] = d.Inputs()
	}
	return inputs
}

// tags opens the working tree and gives the services' tags as "NAME=TAG NAME=TAG", and the
// warnings.
func tags(t *testing.T, dir string) (string, []string) {
	t.Helper()
	w := open(t, dir)
	var warnings []string
	found, err := w.Tags(context.Background(), w.inputs(t), func(s string) { warnings = append(warnings, s) })
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for name, tag := range found {
		out = append(out, name+"="+tag.String())
	}
	sort.Strings(out)
	return strings.Join(out, " "), warnings
}

// wantTags fails the test unless the tags are those, without a warning.
func wantTags(t *testing.T, dir, want string) {
	t.Helper()
	got, warnings := tags(t, dir)
	if got != want {
		t.Errorf("tags %s\nwant %s", got, want)
	}
	if len(warnings) > 0 {
		t.Errorf("warned: %s", strings.Join(warnings, "\n"))
	}
}

// short is a tag of a commit that was made on the first day.
func short(commit string) string { return "20240725_" + commit[:8] }
