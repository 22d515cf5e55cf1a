package worktree

import (
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

// grown is shop with ping's change three commits below HEAD, the last of them on its branch.
func grown(t *testing.T) (r *gitrepo.Repo, web, ping string) {
	t.Helper()
	r, web = shop(t)
	r.Write("services/ping/a.go", "package main\n")
	ping = r.Commit("Change ping", at(1))
	for i := range 3 {
		r.Write("README.md", strings.Repeat("shop\n", i+1))
		r.Commit("Add prose", at(2+i))
	}
	return r, web, ping
}

func TestADetachedHEADHasTheTagsOfItsCommit(t *testing.T) {
	r, web, ping := grown(t)
	r.Git("checkout", "-q", "--detach", "HEAD~1")
	wantTags(t, r.Dir, "ping="+short(ping)+" web="+short(web))
	if w := open(t, r.Dir); w.Branch != "" || w.Head != r.Head() {
		t.Errorf("branch %q, HEAD %s", w.Branch, w.Head)
	}
}

func TestAShallowCloneIsDeepenedWhereTheRemoteAnswers(t *testing.T) {
	r, web, ping := grown(t)
	c := r.ShallowClone(t, 2)
	if !open(t, c.Dir).Shallow {
		t.Fatal("the clone is not shallow")
	}
	wantTags(t, c.Dir, "ping="+short(ping)+" web="+short(web))
}

func TestAShallowCloneThatHoldsTheAnswerIsLeftAlone(t *testing.T) {
	r, _ := shop(t)
	r.Write("services/ping/main.go", mainGo+"// more\n")
	r.Write("services/web/public/index.html", "hello\n")
	both := r.Commit("Change both", at(1))
	r.Commit("Say nothing", at(2))
	c := r.ShallowClone(t, 3)
	r.Commit("Say nothing", at(3)) // a later fetch would bring it
	c.Git("remote", "set-url", "origin", "file:///nowhere")
	wantTags(t, c.Dir, "ping="+short(both)+" web="+short(both))
}

// As CI systems check out a merge request: a commit that no branch of the remote has.
func TestAShallowCheckoutOfAMergeRequestIsDeepened(t *testing.T) {
	r, web, ping := grown(t)
	r.Switch("request")
	r.Write("README.md", "request\n")
	request := r.Commit("Request", at(9))
	r.Git("update-ref", "refs/pull/1/head", request)
	r.Switch("main")
	r.Git("branch", "-q", "-D", "request")
	c := gitrepo.New(t)
	c.Git("remote", "add", "origin", "file://"+r.Dir)
	c.Git("fetch", "-q", "--depth", "1", "origin", "refs/pull/1/head")
	c.Git("checkout", "-q", "--detach", request)
	wantTags(t, c.Dir, "ping="+short(ping)+" web="+short(web))
}

func TestAShallowCloneWithoutARemoteIsTaggedByHEADWithAWarning(t *testing.T) {
	const rest = ", and the remote did not give more: HEAD names it. Fetch all history in CI (GIT_DEPTH: 0, or fetch-depth: 0)."
	r, _, ping := grown(t)
	for _, c := range []struct {
		depth      int
		want, warn string
	}{
		{1, "ping=HEAD web=HEAD", "ping, web"},
		{4, "ping=HEAD web=HEAD", "ping, web"}, // the last one here is ping's, but that is not known
		{6, "ping=PING web=WEB", ""},
	} {
		clone := r.ShallowClone(t, c.depth)
		clone.Git("remote", "set-url", "origin", "file:///nowhere")
		got, warnings := tags(t, clone.Dir)
		_, web, _ := strings.Cut(got, "web=")
		want := strings.NewReplacer("HEAD", short(r.Head()), "PING", short(ping), "WEB", web).Replace(c.want)
		if got != want {
			t.Errorf("depth %d: tags %s, want %s", c.depth, got, want)
		}
		warn := ""
		if c.warn != "" {
			warn = "this clone's history is too short to know which commit last changed " + c.warn + rest
		}
		if strings.Join(warnings, "\n") != warn {
			t.Errorf("depth %d: warned %q\nwant %q", c.depth, strings.Join(warnings, "\n"), warn)
		}
	}
}
