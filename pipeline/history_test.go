package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// id makes a commit's hash of a letter.
func id(letter string) string { return strings.Repeat(fmt.Sprintf("%x", letter), 20) }

// commits reads a history: "C: A x,y; B z" is commit C with parents A, from which x and y
// differ, and B, from which z does. "A: cut" is where a shallow clone ends.
func commits(t *testing.T, text ...string) []Commit {
	t.Helper()
	var out []Commit
	for _, line := range text {
		name, parents, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("%q is no commit", line)
		}
		c := Commit{Hash: id(name)}
		for _, p := range strings.Split(parents, ";") {
			switch fields := strings.Fields(p); {
			case len(fields) == 1 && fields[0] == "cut":
				c.Cut = true
			case len(fields) == 1:
				c.Parents = append(c.Parents, Parent{Hash: id(fields[0])})
			case len(fields) == 2:
				parent := Parent{Hash: id(fields[0])}
				for _, path := range strings.Split(fields[1], ",") {
					parent.Changed = append(parent.Changed, Change{Path: path})
				}
				c.Parents = append(c.Parents, parent)
			}
		}
		out = append(out, c)
	}
	return out
}

func TestHistory(t *testing.T) {
	for _, c := range []struct {
		about   string
		history []string // from HEAD on
		want    string   // the tags' commits of the services x and y; "?" after one that met the cut
	}{
		{"linear", []string{"D: C z", "C: B y", "B: A x", "A:"}, "x=B y=C"},
		{"HEAD itself", []string{"B: A x,y", "A:"}, "x=B y=B"},
		{"the root commit, which changes nothing more", []string{"C: B z", "B: A z", "A:"}, "x=A y=A"},
		{"one commit alone", []string{"A:"}, "x=A y=A"},
		{"an empty commit", []string{"B: A", "A:"}, "x=A y=A"},
		{"a merge equal to its first parent: the branch changed another service",
			[]string{"M: C y; B x", "C: A x", "B: A y", "A:"}, "x=C y=B"},
		{"a merge equal to its second parent keeps the branch's tag",
			[]string{"M: A x; C", "C: B x", "B: A x", "A:"}, "x=C y=A"},
		{"a merge equal to both goes on with the first",
			[]string{"M: B; C", "B: A x", "C: A x", "A:"}, "x=B y=A"},
		{"a merge equal to neither is the change itself",
			[]string{"M: B x; C x", "B: A x", "C: A x", "A:"}, "x=M y=A"},
		{"an octopus", []string{"M: B x,y; C x; D y", "B: A z", "C: A y", "D: A x", "A:"}, "x=D y=C"},
		{"a change and its reverting", []string{"C: B x", "B: A x", "A:"}, "x=C y=A"},
		{"a branch of two roots", []string{"M: B x; R y", "B: A y", "R:", "A:"}, "x=R y=B"},
		{"a shallow end", []string{"C: B y", "B: A z", "A: cut"}, "x=A? y=C"},
		{"a shallow end at HEAD", []string{"A: cut"}, "x=A? y=A?"},
		{"a shallow end on the branch that is not looked at", []string{"M: A x; C", "C: B x", "B: R z", "A: cut", "R:"}, "x=C y=A?"},
	} {
		t.Run(c.about, func(t *testing.T) {
			list := commits(t, c.history...)
			h := NewHistory(list[0].Hash, nil)
			var x, y Tag
			var xCut, yCut bool
			h.Find(list[0].Hash, &Inputs{rules: []rule{exact("x")}}, nil, &x, &xCut)
			h.Find(list[0].Hash, &Inputs{rules: []rule{exact("y")}}, nil, &y, &yCut)
			for _, commit := range list {
				if h.Done() {
					break
				}
				if err := h.Feed(commit); err != nil {
					t.Fatal(err)
				}
			}
			show := func(name string, tag Tag, cut bool) string {
				for _, commit := range c.history {
					letter := commit[:1]
					if tag.Commit == id(letter) {
						return name + "=" + letter + map[bool]string{true: "?"}[cut]
					}
				}
				return name + "=" + tag.Commit
			}
			if got := show("x", x, xCut) + " " + show("y", y, yCut); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if !h.Done() {
				t.Error("the search has not ended")
			}
		})
	}
}

func TestHistoryRefusesWhatIsNoCommit(t *testing.T) {
	says(t, NewHistory("x", nil).Feed(Commit{Hash: "fatal: bad object"}), `reading git's history: "fatal: bad object" is no commit`)
}

func TestATagIsTheDateInUTCAndEightDigits(t *testing.T) {
	tag := Tag{Commit: "4605cc6e00000000000000000000000000000000", Time: time.Date(2024, 7, 26, 1, 30, 0, 0, time.FixedZone("MSK", 3*3600))}
	if got := tag.String(); got != "20240725_4605cc6e" {
		t.Error(got)
	}
	tag.Dirty = true
	if got := tag.String(); got != "20240725_4605cc6e-dirty" {
		t.Error(got)
	}
}
