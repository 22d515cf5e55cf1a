package worktree

import (
	"slices"
	"testing"
)

func TestSinceIsWhatTheBranchHasDone(t *testing.T) {
	r, _ := shop(t)
	r.Switch("feature")
	r.Write("services/ping/more.go", "package main\n")
	r.Remove("services/web/public/index.html")
	r.Commit("Change ping and web", at(1))
	r.Switch("main")
	r.Write("go.mod", goMod+"\n// later\n")
	base := r.Commit("Change main", at(2))
	r.Switch("feature")
	r.Write("new", "not committed\n")
	c, err := open(t, r.Dir).Since(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, change := range c.Changes {
		got = append(got, change.Path)
	}
	slices.Sort(got)
	if want := []string{"new", "services/ping/more.go", "services/web/public/index.html"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSinceSomethingThatIsNotHere(t *testing.T) {
	r, _ := shop(t)
	_, err := open(t, r.Dir).Since(t.Context(), "0123456789012345678901234567890123456789")
	if want := `there is no branch or commit "0123456789012345678901234567890123456789" to compare with`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDefault(t *testing.T) {
	r, _ := shop(t)
	if got := open(t, r.Dir).Default(t.Context()); got != "" {
		t.Errorf("without a remote: %q", got)
	}
	r.Git("branch", "-m", "trunk")
	if got := open(t, r.Clone(t).Dir).Default(t.Context()); got != "trunk" {
		t.Errorf("in a clone: %q, want trunk", got)
	}
}
