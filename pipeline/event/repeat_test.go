package event

import (
	"os/exec"
	"strings"
	"testing"
)

func TestRepeat(t *testing.T) {
	for _, c := range []struct {
		event  Event
		labels []string
		part   Part
		env    string
		want   string
	}{
		{Event{Kind: Push, Branch: "main"}, nil, "", "", "go tool mage ci:run -event=push -branch=main"},
		{Event{Kind: MergeRequest, Branch: "feature", Base: "ba5e"}, []string{"tests", "build-ping"}, Check, "", "go tool mage ci:run -event=merge -labels=tests,build-ping -branch=feature -base=ba5e -only=check"},
		{Event{Kind: MergeRequest, Branch: "feature", ByHand: true, Environment: "dev"}, nil, Deploy, "dev", "go tool mage ci:run -branch=feature -only=deploy -env=dev"},
		{Event{Kind: Manual, Branch: "main", Environment: "prod"}, nil, "", "", "go tool mage ci:run -event=manual -branch=main -env=prod"},
		{Event{Kind: Manual, Branch: "main", Environment: "prod"}, []string{"dev-deploy"}, Deploy, "stage", "go tool mage ci:run -event=manual -branch=main -only=deploy"},
		{Event{Kind: MergeRequest, Branch: "it's$(x)"}, []string{"build ping"}, "", "", `go tool mage ci:run -event=merge -labels='build ping' -branch='it'\''s$(x)'`},
	} {
		whole := Decision{Labels: c.labels, Deploy: []Target{{Env: "dev"}, {Env: "prod"}}}
		if got := Repeat("", c.event, whole, c.part, c.env); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.event, got, c.want)
		}
	}
}

// What Repeat prints, a shell and Read make the same decision of.
func TestRepeatDecidesTheSame(t *testing.T) {
	for _, e := range []Event{
		{Kind: Push, Branch: "main"},
		{Kind: MergeRequest, Branch: "feature", Base: "ba5e", Labels: Split("tests,other")},
		{Kind: MergeRequest, Branch: "a'b", Base: "ba5e", Labels: Split("build-ping,dev-deploy")},
		{Kind: MergeRequest, Branch: "feature", Base: "ba5e", ByHand: true},
		{Kind: MergeRequest, Branch: "feature", ByHand: true, Environment: "dev"},
		{Kind: Manual, Branch: "main", Environment: "prod"},
		{Kind: Schedule, Branch: "main", Environment: "dev"},
		{Kind: Tag, Tag: "v1"},
	} {
		for _, part := range append(Parts, "") {
			if e.ByHand && part == "" {
				continue // started by hand is one job
			}
			env := ""
			if part == Deploy {
				env = "dev"
				if e.ByHand {
					e.Environment = env // as Read has it
				}
			}
			whole := Decide(e, known(t, ""))
			again, err := Read(nil, nil, Git{}, flags(t, Repeat("c0ffee", e, whole, part, env)))
			if err != nil {
				t.Fatal(err)
			}
			want, got := whole.Only(part, env), Decide(again, known(t, "")).Only(part, env)
			want.Notes, got.Notes = nil, nil
			if short(got) != short(want) {
				t.Errorf("%s, only %s, repeated by %s:\n got %s\nwant %s", e, part, Repeat("c0ffee", e, whole, part, env), short(got), short(want))
			}
		}
	}
}

// flags lets a shell split the line, and reads it as ci:run does.
func flags(t *testing.T, line string) Given {
	t.Helper()
	words, ok := strings.CutPrefix(line, "go tool mage ci:repro c0ffee")
	if !ok {
		t.Fatalf("%s does not name the commit", line)
	}
	out, err := exec.Command("sh", "-c", "printf '%s\\n' "+words).Output()
	if err != nil {
		t.Fatal(err)
	}
	var g Given
	for _, w := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		name, value, _ := strings.Cut(strings.TrimPrefix(w, "-"), "=")
		switch name {
		case "event":
			g.Kind = Kind(value)
		case "labels":
			g.Labels, g.HasLabels = Split(value), true
		case "branch":
			g.Branch = value
		case "base":
			g.Base = value
		case "env":
			g.Environment = value
		case "only":
			g.Part = Part(value)
		default:
			t.Fatalf("%s: what is %s?", line, w)
		}
	}
	return g
}
