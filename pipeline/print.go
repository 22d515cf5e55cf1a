package pipeline

import (
	"fmt"
	"strings"
)

// Tree prints the plan for a person: what will be done, in what order, from what.
func (p *Plan) Tree() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", p.Service, p.Tag)
	line := func(indent, format string, args ...any) {
		fmt.Fprintf(&b, indent+format+"\n", args...)
	}
	line("", "├─ from     %s, %d inputs, hash %.12s", p.Dir, len(p.Inputs.Files), p.Inputs.Hash)
	line("", "├─ changed  by commit %.8s of %s%s", p.Commit, p.Created.Format("2006-01-02"), map[bool]string{true: ", and not committed since"}[p.Dirty])
	if p.Go != "" {
		line("", "├─ go       %s, module %s in %s", p.Go, p.Module.Path, p.Module.Dir)
	}
	if p.Step(p.Service+"/image") != nil {
		line("", "├─ image    %s for %s", p.Ref(), p.Platform)
	}
	line("", "└─ steps")
	for i := range p.Steps {
		s := &p.Steps[i]
		branch, below := "   ├─ ", "   │    "
		if i == len(p.Steps)-1 {
			branch, below = "   └─ ", "        "
		}
		line(branch, "%s: %s", s.Name, s.Why)
		for _, d := range s.details() {
			line(below, "%s", strings.ReplaceAll(d, "\n", "\n"+below+"    "))
		}
	}
	return b.String()
}

func (s *Step) details() []string {
	var out []string
	if len(s.Needs) > 0 {
		out = append(out, "needs "+strings.Join(s.Needs, ", "))
	}
	switch {
	case s.Run != nil:
		on := "Go " + s.Run.On.Go + " assembled from the module proxy"
		if s.Run.On.Image != "" {
			on = s.Run.On.Image
		}
		out = append(out, "on "+on+", in "+s.Run.Dir, "run "+strings.Join(s.Run.Args, " "))
	case s.Build != nil:
		what := "build " + s.Build.Dockerfile
		if s.Build.Target != "" {
			what += " --target " + s.Build.Target
		}
		for _, a := range s.Build.Args {
			what += " --build-arg " + a.Name + "=" + a.Value
		}
		out = append(out, what)
		for _, e := range s.Build.Extra {
			out = append(out, "with "+e.To)
		}
	case s.Export != nil:
		out = append(out, "to build/"+s.Export.To)
	}
	return out
}
