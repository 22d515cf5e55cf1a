package worktree

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

func TestACommitThatIsNotHereIsFetched(t *testing.T) {
	r, _ := shop(t)
	c := r.Clone(t)
	r.Switch("request")
	r.Write("README.md", "request\n")
	request := r.Commit("Request", at(1))
	r.Git("update-ref", "refs/merge-requests/7/head", request)
	r.Switch("main")
	r.Git("branch", "-q", "-D", "request")
	w := open(t, c.Dir)
	got, err := w.Fetch(t.Context(), request[:12], "refs/pull/7/merge", "refs/merge-requests/7/head")
	if err != nil || got != request {
		t.Fatalf("got %q, %v, want %s", got, err, request)
	}
	again := open(t, r.Clone(t).Dir) // without a name for it, by the commit itself
	if got, err := again.Fetch(t.Context(), request); err != nil || got != request {
		t.Errorf("got %q, %v, want %s", got, err, request)
	}

	nowhere := strings.Repeat("0123456789", 4)
	if _, err := w.Fetch(t.Context(), nowhere); err == nil || !strings.HasPrefix(err.Error(), "the commit "+nowhere+" is not in this clone, and its remote does not give it: ") {
		t.Errorf("got %v", err)
	}
	if _, err := open(t, r.Dir).Fetch(t.Context(), nowhere); err == nil || err.Error() != "the commit "+nowhere+" is not in this clone, which has no remote to ask for it" {
		t.Errorf("got %v", err)
	}
}

func TestCheckoutLeavesTheCloneAlone(t *testing.T) {
	r, first := shop(t)
	r.Write(".git/hooks/post-checkout", "#!/bin/sh\ntouch \"$GIT_DIR/../hooked\" hooked\n")
	r.Write("services/ping/main.go", mainGo+"// more\n")
	r.Commit("Change ping", at(1))
	r.Write("README.md", "not committed\n")
	w := open(t, r.Dir)
	dir := filepath.Join(t.TempDir(), "shop")
	if err := w.Checkout(t.Context(), first, dir); err != nil {
		t.Fatal(err)
	}
	there := open(t, dir)
	if there.Head != first || there.Branch != "" || len(there.Changed) > 0 {
		t.Errorf("HEAD %s, branch %q, changed %q", there.Head, there.Branch, there.Changed)
	}
	wantTags(t, dir, "ping="+short(first)+" web="+short(first))
	if err := os.WriteFile(filepath.Join(dir, "left"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := w.Forget(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the working tree is still there")
	}
	if list := r.Git("worktree", "list", "--porcelain"); strings.Count(list, "worktree ") != 1 {
		t.Errorf("git still knows it:\n%s", list)
	}
	if status := r.Git("status", "--porcelain"); status != "?? README.md" {
		t.Errorf("the clone's status is %q", status)
	}
}

func TestCheckoutHasSubmodules(t *testing.T) {
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
	t.Setenv("GIT_CONFIG_VALUE_0", "always")
	part := gitrepo.New(t)
	part.Write("lib.go", "package lib\n")
	part.Commit("Start", at(0))
	r, _ := shop(t)
	r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "file://"+part.Dir, "lib")
	head := r.Commit("Use lib", at(1))
	dir := filepath.Join(t.TempDir(), "shop")
	w := open(t, r.Dir)
	if err := w.Checkout(t.Context(), head, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "lib", "lib.go")); err != nil {
		t.Error(err)
	}
	if err := w.Forget(t.Context(), dir); err != nil {
		t.Error(err)
	}
}
