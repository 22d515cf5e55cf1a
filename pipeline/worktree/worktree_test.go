package worktree

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

func TestUncommittedChangesOfInputsMakeATagDirty(t *testing.T) {
	for _, c := range []struct {
		about  string
		change func(r *gitrepo.Repo)
		dirty  string // services
	}{
		{"nothing", func(*gitrepo.Repo) {}, ""},
		{"an edit", func(r *gitrepo.Repo) { r.Write("services/ping/main.go", mainGo+"// more\n") }, "ping"},
		{"a staged edit", func(r *gitrepo.Repo) { r.Write("services/ping/main.go", mainGo+"// more\n"); r.Git("add", "-A") }, "ping"},
		{"a new file", func(r *gitrepo.Repo) { r.Write("services/web/public/new.html", "x\n") }, "web"},
		{"a new directory of another service", func(r *gitrepo.Repo) { r.Write("services/new/main.go", mainGo) }, "new"},
		{"a removed file", func(r *gitrepo.Repo) { r.Remove("services/web/public/index.html") }, "web"},
		{"a file of both", func(r *gitrepo.Repo) { r.Write("services/.dockerignore", "**/*.md\n") }, "ping web"},
		{"a pattern that nothing copied can match", func(r *gitrepo.Repo) { r.Write("services/.dockerignore", "*.md\n") }, ""},
		{"an executable bit", func(r *gitrepo.Repo) {
			if err := os.Chmod(filepath.Join(r.Dir, "services/ping/main.go"), 0o755); err != nil {
				t.Error(err)
			}
		}, "ping"},
		{"prose", func(r *gitrepo.Repo) { r.Write("services/ping/README.md", "x\n") }, ""},
		{"an ignored file", func(r *gitrepo.Repo) { r.Write("services/ping/out.log", "x\n"); r.Write("build/ping", "x\n") }, ""},
		{"a file elsewhere", func(r *gitrepo.Repo) { r.Write("docs/x", "x\n") }, ""},
		{"a file that git no longer tracks and is still there", func(r *gitrepo.Repo) { r.Git("rm", "-q", "--cached", "services/ping/main.go") }, "ping"},
		{"a renamed file", func(r *gitrepo.Repo) { r.Git("mv", "services/ping/main.go", "services/ping/ping.go") }, "ping"},
		{"a file announced to git", func(r *gitrepo.Repo) { r.Write("services/ping/x.txt", "x\n"); r.Git("add", "-N", ".") }, "ping"},
	} {
		t.Run(c.about, func(t *testing.T) {
			r, _ := shop(t)
			c.change(r)
			got, _ := tags(t, r.Dir)
			var dirty []string
			for _, tag := range strings.Fields(got) {
				if name, ok := strings.CutSuffix(tag, "-dirty"); ok {
					name, _, _ = strings.Cut(name, "=")
					dirty = append(dirty, name)
				}
			}
			if strings.Join(dirty, " ") != c.dirty {
				t.Errorf("dirty are %v, want %s, of %s", dirty, c.dirty, got)
			}
			if !strings.Contains(got, "ping=") {
				t.Errorf("ping is no service any more: %s", got)
			}
		})
	}
}

func TestTheTreeIsWhatGitKnows(t *testing.T) {
	r, _ := shop(t)
	r.Write("services/ping/out.log", "ignored\n")
	r.Write("services/ping/new.txt", "untracked\n")
	r.Remove("services/web/public/index.html")
	r.Write("services/web/public/index.html/now/a/directory", "x\n")
	want := ".gitignore go.mod services/Dockerfile services/ping/main.go services/ping/new.txt services/web/Dockerfile services/web/public/index.html/now/a/directory"
	if got := strings.Join(open(t, r.Dir).Tree.Files, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestASubdirectoryIsItsRepository(t *testing.T) {
	r, first := shop(t)
	r.Switch("feature/x")
	r.Git("remote", "add", "origin", "git@git.example.com:shop/shop.git")
	w := open(t, filepath.Join(r.Dir, "services", "ping"))
	root, err := filepath.EvalSymlinks(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if w.Root != root || w.Head != first || w.Branch != "feature/x" || w.Origin != "git@git.example.com:shop/shop.git" || w.Shallow {
		t.Errorf("got %+v", *w)
	}
	wantTags(t, filepath.Join(r.Dir, "services", "ping"), "ping="+short(first)+" web="+short(first))
}

func TestAnotherWorkingTreeOfARepository(t *testing.T) {
	r, first := shop(t)
	dir := filepath.Join(t.TempDir(), "other tree")
	r.Git("worktree", "add", "-q", "-b", "other", dir)
	wantTags(t, dir, "ping="+short(first)+" web="+short(first))
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	empty := gitrepo.New(t)
	bare := t.TempDir()
	empty.Git("init", "-q", "--bare", bare)
	plain := t.TempDir()
	gone := filepath.Join(plain, "gone")
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(plain))
	unmerged, _ := shop(t)
	conflict(t, unmerged, "services/ping/a file.go")
	for dir, want := range map[string]string{
		plain:        plain + " is not in a git repository, and slipway names images by commits: run `git init` and commit, or go to a clone",
		gone:         "there is no directory " + gone,
		bare:         bare + " is a git repository without a working tree: run slipway in a clone with its files checked out",
		empty.Dir:    empty.Dir + " has no commit yet, and a tag names a commit: run `git commit` first",
		unmerged.Dir: unmerged.Dir + " has unmerged files (services/ping/a file.go): finish the merge first",
	} {
		_, err := Open(context.Background(), dir)
		if err == nil || err.Error() != want {
			t.Errorf("error\n got: %v\nwant: %s", err, want)
		}
	}
}

// conflict leaves the repository in a merge that has failed over the file.
func conflict(t *testing.T, r *gitrepo.Repo, file string) {
	t.Helper()
	r.Switch("theirs")
	r.Write(file, "package main // theirs\n")
	r.Commit("Theirs", at(1))
	r.Switch("main")
	r.Write(file, "package main // ours\n")
	r.Commit("Ours", at(2))
	cmd := exec.Command("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "merge", "theirs")
	cmd.Dir = r.Dir
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("the merge did not fail: %s", out)
	}
}

func TestAMachineWithoutGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open(context.Background(), os.TempDir())
	if want := "git is not installed, and slipway names images by commits: install git"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestSourceURL(t *testing.T) {
	for remote, want := range map[string]string{
		"https://git.example.com/shop/shop.git":            "https://git.example.com/shop/shop",
		"https://git.example.com/shop/shop/":               "https://git.example.com/shop/shop",
		"https://ci-token:secret@git.example.com/shop.git": "https://git.example.com/shop",
		"http://git.example.com:8080/shop.git":             "https://git.example.com/shop",
		"git@git.example.com:shop/shop.git":                "https://git.example.com/shop/shop",
		"git.example.com:shop/shop":                        "https://git.example.com/shop/shop",
		"git@git.example.com:/abs/shop.git":                "https://git.example.com/abs/shop",
		"ssh://git@git.example.com:2222/shop/shop.git":     "https://git.example.com/shop/shop",
		"git://git.example.com/shop.git":                   "https://git.example.com/shop",
		"":                                                 "",
		"/srv/git/shop.git":                                "",
		"../shop":                                          "",
		"./a:b":                                            "",
		"file:///srv/git/shop":                             "",
		`C:\git\shop`:                                      "",
		"C:/git/shop":                                      "",
		"https://%zz/broken":                               "",
		"file://host/share/shop":                           "",
	} {
		if got := SourceURL(remote); got != want {
			t.Errorf("%q: %q, want %q", remote, got, want)
		}
	}
}
