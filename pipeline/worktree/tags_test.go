package worktree

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

func TestATagIsThatOfTheCommitThatLastChangedTheInputs(t *testing.T) {
	r, first := shop(t)
	r.Write("services/ping/main.go", mainGo+"// more\n")
	second := r.Commit("Change ping", at(1))
	wantTags(t, r.Dir, "ping="+short(second)+" web="+short(first))

	r.Write("README.md", "shop\n")
	r.Write("services/ping/README.md", "ping\n")
	r.Commit("Add prose", at(2))
	r.Commit("Say nothing", at(3))
	wantTags(t, r.Dir, "ping="+short(second)+" web="+short(first))

	r.Write("go.mod", goMod+"// more\n")
	r.Commit("Say something in go.mod", at(3))
	wantTags(t, r.Dir, "ping="+short(second)+" web="+short(first))

	r.Write("go.mod", "module example.com/shop\n\ngo 1.26.9\n")
	r.Write("services/web/public/index.html", "hello\n")
	third := r.Commit("Change both", at(20)) // 08:00 of the next day, UTC
	wantTags(t, r.Dir, "ping=20240726_"+third[:8]+" web=20240726_"+third[:8])
}

func TestDeletingOrRenamingAnInputChangesTheTag(t *testing.T) {
	r, first := shop(t)
	r.Write("services/ping/a.txt", "1\n")
	r.Write("services/ping/b.txt", "2\n")
	r.Commit("Add files", at(1))
	r.Remove("services/ping/a.txt")
	deleted := r.Commit("Remove one", at(2))
	wantTags(t, r.Dir, "ping="+short(deleted)+" web="+short(first))
	r.Git("mv", "services/ping/b.txt", "b.txt")
	moved := r.Commit("Move the other out", at(3))
	wantTags(t, r.Dir, "ping="+short(moved)+" web="+short(first))
	r.Git("mv", "b.txt", "services/web/public/b.txt")
	in := r.Commit("Move it to web", at(4))
	wantTags(t, r.Dir, "ping="+short(moved)+" web="+short(in))
	r.Git("update-index", "--chmod=+x", "services/ping/main.go")
	r.Git("commit", "-q", "-m", "Make it executable")
	r.Git("checkout", "-q", "--", ".")
	wantTags(t, r.Dir, "ping="+short(r.Head())+" web="+short(in))
}

func TestAMergeThatBringsNothingNewKeepsTheTags(t *testing.T) {
	r, first := shop(t)
	r.Switch("feature")
	r.Write("services/ping/main.go", mainGo+"// more\n")
	feature := r.Commit("Change ping", at(1))
	onBranch, _ := tags(t, r.Dir)
	r.Switch("main")
	r.Merge("feature", "Merge feature", at(2))
	wantTags(t, r.Dir, onBranch)
	wantTags(t, r.Dir, "ping="+short(feature)+" web="+short(first))

	r.Switch("other")
	r.Write("services/web/public/index.html", "hello\n")
	web := r.Commit("Change web", at(3))
	r.Switch("main")
	r.Write("services/ping/more.go", "package main\n")
	ping := r.Commit("Change ping again", at(4))
	r.Merge("other", "Merge other", at(5))
	wantTags(t, r.Dir, "ping="+short(ping)+" web="+short(web))
}

func TestAMergeThatJoinsChangesOfOneServiceIsItsTag(t *testing.T) {
	r, first := shop(t)
	r.Switch("feature")
	r.Write("services/ping/a.go", "package main\n")
	r.Commit("Add a", at(1))
	r.Switch("main")
	r.Write("services/ping/b.go", "package main\n")
	r.Commit("Add b", at(2))
	merge := r.Merge("feature", "Merge feature", at(3))
	wantTags(t, r.Dir, "ping="+short(merge)+" web="+short(first))
}

// The names of these files are what git's log writes for commits.
func TestAFileNamedLikeACommitIsAFile(t *testing.T) {
	r, first := shop(t)
	r.Write("services/ping/more.go", "package main\n")
	second := r.Commit("Change ping", at(1))
	for _, name := range []string{second, second + " " + first + " subject", first, ":100644 100644 " + first[:7] + " " + second[:7] + " M"} {
		r.Write(name, "x\n")
		r.Write("docs/"+name, "x\n")
	}
	r.Commit("Add strange files", at(2))
	wantTags(t, r.Dir, "ping="+short(second)+" web="+short(first))
}

func TestFileNamesMayHoldAnything(t *testing.T) {
	r, first := shop(t)
	for _, name := range []string{"with space.txt", "ünïcode.txt", "new\nline.txt", "tab\t\"quote\".txt", "-dash.txt"} {
		r.Write("services/ping/"+name, "1\n")
		commit := r.Commit("Add "+name, at(1))
		wantTags(t, r.Dir, "ping="+short(commit)+" web="+short(first))
		if w := open(t, r.Dir); !slices.Contains(w.inputs(t)["ping"].Files, "services/ping/"+name) {
			t.Errorf("%q is no input", name)
		}
		r.Write("services/ping/"+name, "2\n")
		wantTags(t, r.Dir, "ping="+short(commit)+"-dirty web="+short(first))
		r.Commit("Change "+name, at(1))
	}
}

func TestAUsersConfigurationChangesNothing(t *testing.T) {
	r, _ := shop(t)
	r.Switch("feature")
	r.Write("services/ping/a.go", "package main\n")
	ping := r.Commit("Add a", at(1))
	r.Switch("main")
	r.Write("services/web/public/index.html", "hello\n")
	web := r.Commit("Change web", at(2))
	r.Merge("feature", "Merge feature", at(3))
	config := filepath.Join(t.TempDir(), "config")
	hostile := "[color]\n\tui = always\n[log]\n\tdiffMerges = first-parent\n\tdecorate = full\n\tshowSignature = true\n\tabbrevCommit = true\n\tfollow = true\n" +
		"[diff]\n\trenames = copies\n\trelative = true\n\tnoprefix = true\n[core]\n\tquotePath = true\n\tabbrev = 5\n[status]\n\tshowUntrackedFiles = no\n\trelativePaths = true\n[format]\n\tpretty = fuller\n"
	if err := os.WriteFile(config, []byte(hostile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	wantTags(t, r.Dir, "ping="+short(ping)+" web="+short(web))
	r.Write("services/ping/new.txt", "x\n")
	wantTags(t, r.Dir, "ping="+short(ping)+"-dirty web="+short(web))
}

func TestASubmoduleOfAServiceIsPartOfIt(t *testing.T) {
	lib := gitrepo.New(t)
	lib.Write("public/lib.js", "1\n")
	lib.Commit("Add the library", at(0))
	r, first := shop(t)
	r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "file://"+lib.Dir, "services/web/public/lib")
	added := r.Commit("Add the library to web", at(1))
	wantTags(t, r.Dir, "ping="+short(first)+" web="+short(added))
	if files := open(t, r.Dir).inputs(t)["web"].Files; !slices.Contains(files, "services/web/public/lib/public/lib.js") {
		t.Errorf("the submodule's file is no input: %s", strings.Join(files, " "))
	}

	lib.Write("public/lib.js", "2\n")
	lib.Commit("Change the library", at(2))
	r.Git("-C", "services/web/public/lib", "-c", "protocol.file.allow=always", "pull", "-q")
	wantTags(t, r.Dir, "ping="+short(first)+" web="+short(added)+"-dirty")
	raised := r.Commit("Raise the library", at(3))
	wantTags(t, r.Dir, "ping="+short(first)+" web="+short(raised))
}

// A Dockerfile may copy a part of a submodule, of which git names the directory alone.
func TestAChangeOfASubmoduleCountsForWhatUsesAPartOfIt(t *testing.T) {
	lib := gitrepo.New(t)
	lib.Write("dist/lib.js", "1\n")
	lib.Commit("Add the library", at(0))
	r, first := shop(t)
	r.Write("services/web/Dockerfile", "FROM scratch\nCOPY lib/dist/*.js /\n")
	r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "file://"+lib.Dir, "services/lib")
	r.Commit("Add the library", at(1))
	lib.Write("dist/lib.js", "2\n")
	lib.Commit("Change the library", at(2))
	r.Git("-C", "services/lib", "-c", "protocol.file.allow=always", "pull", "-q")
	raised := r.Commit("Raise the library", at(3))
	wantTags(t, r.Dir, "ping="+short(first)+" web="+short(raised))

	// A clone that has not fetched the submodule builds all the same, without its files.
	clone := r.Clone(t)
	if _, err := Open(context.Background(), clone.Dir); err != nil {
		t.Error(err)
	}
}

func TestASymbolicLinkIsHashedAsOneAndItsTargetCounts(t *testing.T) {
	r, first := shop(t)
	r.Write("conf/common.toml", "x = 1\n")
	if err := os.Symlink("../../conf/common.toml", filepath.Join(r.Dir, "services/ping/config.toml")); err != nil {
		t.Fatal(err)
	}
	r.Commit("Link the settings", at(1))
	r.Write("conf/common.toml", "x = 2\n")
	changed := r.Commit("Change the settings", at(2))
	wantTags(t, r.Dir, "ping="+short(changed)+" web="+short(first))
}
