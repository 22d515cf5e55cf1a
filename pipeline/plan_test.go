package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func planJSON(t *testing.T, p *Plan) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPlansReadAsTheyShould(t *testing.T) {
	for _, name := range []string{"ping", "web"} {
		t.Run(name, func(t *testing.T) {
			p := shop.plan(t, name)
			golden(t, name+".plan.json", planJSON(t, p))
			golden(t, name+".plan.txt", p.Tree())
		})
	}
}

func TestAPlanIsPure(t *testing.T) {
	for _, name := range []string{"ping", "web"} {
		want := planJSON(t, shop.plan(t, name))
		for range 20 { // maps are walked in another order each time
			if got := planJSON(t, shop.plan(t, name)); got != want {
				t.Fatalf("the same repository gives another plan:\n%s\nand before\n%s", got, want)
			}
		}
	}
}

// everyParts are all 16 combinations.
func everyParts() []Parts {
	var out []Parts
	for i := range 16 {
		out = append(out, Parts{Lint: i&1 != 0, Test: i&2 != 0, Image: i&4 != 0, Push: i&8 != 0})
	}
	return out
}

func TestAStepNamesOnlyWhatComesBeforeIt(t *testing.T) {
	own := shop.with(files{"slipway.yaml": "toolchain: golang:1.26\n", "services/go.mod": goMod})
	for _, f := range []files{shop, own} {
		for _, name := range []string{"ping", "web"} {
			for _, parts := range everyParts() {
				r := f.repo(t)
				s, err := r.Service(name)
				if err != nil {
					t.Fatal(err)
				}
				req := request()
				req.Parts = parts
				d, err := r.Draft(s, req)
				if err != nil {
					t.Fatal(err)
				}
				p, err := d.Plan(fixedTag)
				if err != nil {
					t.Fatal(err)
				}
				if got := problems(p); len(got) > 0 {
					t.Errorf("%s %+v:\n%s", name, parts, lines(got))
				}
				if wanted := p.Step(name+"/push") != nil; wanted != parts.Push {
					t.Errorf("%s %+v: there is a push: %v", name, parts, wanted)
				}
			}
		}
	}
}

// problems are the references of a plan that lead nowhere.
func problems(p *Plan) []string {
	var out []string
	bad := func(s *Step, format string, args ...any) { out = append(out, s.ID+": "+fmt.Sprintf(format, args...)) }
	before := map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		step := func(id string) {
			if !before[id] {
				bad(s, "%s does not come before it", id)
			} else if !slices.Contains(s.Needs, id) {
				bad(s, "it uses %s and does not need it", id)
			}
		}
		for _, id := range append(slices.Clone(s.Needs), s.After...) {
			if !before[id] {
				bad(s, "%s does not come before it", id)
			}
		}
		kinds := 0
		if s.Run != nil {
			kinds++
			for _, m := range s.Run.Mounts {
				if m.Source != "" && p.Source(m.Source) == nil {
					bad(s, "there is no source %s", m.Source)
				}
				if m.Step != "" {
					step(m.Step)
				}
			}
			if on := s.Run.On; (on.Go == "") == (on.Image == "") {
				bad(s, "it runs on %+v", on)
			} else if on.Go != "" && !slices.Contains(p.Requires, on.Go) {
				bad(s, "Go %s is not among the toolchains", on.Go)
			}
		}
		if s.Build != nil {
			kinds++
			if p.Source(s.Build.Source) == nil {
				bad(s, "there is no source %s", s.Build.Source)
			}
			for _, e := range s.Build.Extra {
				if e.Step != "" {
					step(e.Step)
				}
			}
		}
		if s.Export != nil {
			kinds++
			step(s.Export.Step)
		}
		if s.Push != nil {
			kinds++
			step(s.Push.Step)
		}
		if kinds != 1 {
			bad(s, "it is of %d kinds", kinds)
		}
		if before[s.ID] {
			bad(s, "it is there twice")
		}
		before[s.ID] = true
	}
	return out
}

func TestATestRunsWithTheRaceDetectorOnAToolchainImage(t *testing.T) {
	command := func(p *Plan) string { return strings.Join(p.Step("ping/test").Run.Args, " ") }
	assembled := shop.plan(t, "ping")
	image := shop.with(files{"slipway.yaml": "toolchain: golang:1.26-bookworm\n"}).plan(t, "ping")
	if run := assembled.Step("ping/test").Run; strings.Contains(command(assembled), "-race") || variable(run.Env, "CGO_ENABLED") != "0" || run.On.Go != "1.26.8" || variable(run.Env, "GOTOOLCHAIN") != "" {
		t.Errorf("assembled: on %+v with %v: %s", run.On, run.Env, command(assembled))
	}
	if run := image.Step("ping/test").Run; !strings.Contains(command(image), " -race ") || variable(run.Env, "CGO_ENABLED") != "1" || run.On.Image != "golang:1.26-bookworm" {
		t.Errorf("image: on %+v with %v: %s", run.On, run.Env, command(image))
	}
	for _, id := range []string{"ping/build", "ping/lint", "ping/test"} {
		if got := variable(image.Step(id).Run.Env, "GOTOOLCHAIN"); got != "go1.26.8" {
			t.Errorf("%s runs Go %q, and go.mod says 1.26.8", id, got)
		}
	}
	if got := variable(image.Step("ping/build").Run.Env, "CGO_ENABLED"); got != "0" {
		t.Errorf("the binary is built with CGO_ENABLED=%s, so it would not run on scratch", got)
	}
}

func variable(env []Var, name string) string {
	for _, v := range env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func TestTheImageIsNamedBySettingsAndRequest(t *testing.T) {
	for _, c := range []struct{ yaml, registry, want string }{
		{"project: shop\n", "", "ping:20240725_4605cc6e"},
		{"registry: registry.example.com/a\n", "", "registry.example.com/a/ping:20240725_4605cc6e"},
		{"registry: registry.example.com/a\n", "other.example.com:5000/", "other.example.com:5000/ping:20240725_4605cc6e"},
		{"services: {ping: {image: team/pinger}}\n", "r.example.com", "r.example.com/team/pinger:20240725_4605cc6e"},
	} {
		r := shop.with(files{"slipway.yaml": c.yaml}).repo(t)
		req := request()
		req.Registry = c.registry
		d, err := r.Draft(&r.Services[0], req)
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.Plan(fixedTag)
		if err != nil {
			t.Fatal(err)
		}
		if p.Ref() != c.want {
			t.Errorf("%s with %q: %s, want %s", c.yaml, c.registry, p.Ref(), c.want)
		}
	}
}

func TestAServiceWithoutADockerfileIsCheckedAndCannotBePushed(t *testing.T) {
	f := files{"go.mod": goMod, "services/ping/main.go": mainGo}
	r := f.repo(t)
	req := request()
	req.Parts = Check
	d, err := r.Draft(&r.Services[0], req)
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Plan(fixedTag)
	if err != nil {
		t.Fatal(err)
	}
	if p.Step("ping/test") == nil || p.Step("ping/image") != nil || strings.Contains(p.Tree(), "image") {
		t.Errorf("the plan is\n%s", p.Tree())
	}
	_, err = f.draft(t, "ping").Plan(fixedTag)
	says(t, err, "ping cannot be pushed: there is no Dockerfile in services/ping or in services/")
}

func TestADirtyTagIsSaidInThePlan(t *testing.T) {
	tag := fixedTag
	tag.Dirty = true
	p, err := shop.draft(t, "web").Plan(tag)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Dirty || p.Tag != "20240725_4605cc6e-dirty" || !strings.Contains(p.Tree(), "changed  by commit 4605cc6e of 2024-07-25, and not committed since") {
		t.Errorf("the plan is\n%s", p.Tree())
	}
}

func TestAToolThatIsNotPinnedRightIsAnError(t *testing.T) {
	for mod, want := range map[string]string{
		"module x\n\ngo 1.26.0\n":             "planning ping: the pinned tool golangci-lint has no tool line: run `go get -tool` in its module",
		"module x\n\ntool example.com/lint\n": "planning ping: golangci-lint.mod: no go line says which Go builds it: run `go mod edit -go=1.26.0` there",
		"mod x\n":                             "planning ping: reading the pinned tool golangci-lint: golangci-lint.mod:1: unknown directive: mod",
	} {
		r := shop.repo(t)
		req := request()
		req.Tools.Lint.Mod = mod
		d, err := r.Draft(&r.Services[0], req)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Plan(fixedTag)
		says(t, err, want)
	}
}
