package pipeline

import (
	"fmt"
	"path"
	"strings"
)

// Parts says how much of the pipeline is wanted.
type Parts struct {
	Lint, Test, Image, Push bool
}

// Check is everything but pushing.
var Check = Parts{Lint: true, Test: true, Image: true}

// Request is what a plan is made from, beside the repository.
type Request struct {
	Parts     Parts
	Tools     Toolset
	Toolchain string // image instead of the settings', "" for theirs
	Registry  string // instead of the settings'
	Source    string // the repository's address, where the settings have none
	CABundle  string // version (a hash, say) of the CA bundle that build contexts get
}

// Draft is a plan that lacks its tag: tags come from the history of the inputs, which the
// draft names.
type Draft struct{ maker }

// Inputs are what the service's build depends on.
func (d *Draft) Inputs() *Inputs { return &d.plan.Inputs }

// Service is the name of the service.
func (d *Draft) Service() string { return d.service.Name }

// Draft prepares the plan of a service: what it is made of.
func (r *Repo) Draft(s *Service, req Request) (*Draft, error) {
	m := maker{repo: r, service: s, want: req.Parts, tools: req.Tools, caBundle: req.CABundle, plan: &Plan{
		Version: PlanVersion, Project: r.Project, Service: s.Name, Dir: s.Dir, Platform: r.Platform.String(), Floating: s.Settings.Tags,
	}}
	m.toolchain = first(req.Toolchain, s.Settings.Toolchain, r.Settings.Toolchain)
	m.source = first(r.Settings.Source, req.Source)
	m.plan.Image = first(s.Settings.Image, s.Name)
	if registry := strings.TrimSuffix(first(req.Registry, r.Settings.Registry), "/"); registry != "" {
		m.plan.Image = registry + "/" + m.plan.Image
	}
	if err := m.readInputs(); err != nil {
		return nil, fmt.Errorf("planning %s: %w", s.Name, err)
	}
	return &Draft{m}, nil
}

// Plan completes the draft with the tag of its inputs.
func (d *Draft) Plan(tag Tag) (*Plan, error) {
	m := &d.maker
	m.plan.Tag, m.plan.Commit, m.plan.Created, m.plan.Dirty = tag.String(), tag.Commit, tag.Time.UTC(), tag.Dirty
	if m.service.Main != "" {
		if err := m.goCheck(); err != nil {
			return nil, fmt.Errorf("planning %s: %w", m.service.Name, err)
		}
	} else {
		m.stages()
	}
	if (m.want.Image || m.want.Push) && m.service.Dockerfile != "" {
		m.image()
	}
	if m.want.Push {
		if m.service.Dockerfile == "" {
			return nil, fmt.Errorf("%s cannot be pushed: there is no Dockerfile in %s or in %s/", m.service.Name, m.service.Dir, m.repo.Settings.ServicesDir)
		}
		m.add(Step{ID: m.service.stepID("push"), Name: "push " + m.service.Name, Why: m.plan.Ref(), Needs: []string{m.service.stepID("image")},
			Push: &Push{Step: m.service.stepID("image")}})
	}
	return m.plan, nil
}

// maker builds one plan.
type maker struct {
	repo      *Repo
	service   *Service
	want      Parts
	tools     Toolset
	toolchain string
	source    string
	caBundle  string
	plan      *Plan

	closure *closure
	docker  *dockerfile
	args    []Var
	code    []rule // what checks are handed
	packing []rule // what the image depends on, beside the binary
}

// readInputs finds what the service is made of and hashes it.
func (m *maker) readInputs() error {
	s, t := m.service, m.repo.Tree
	in := &m.plan.Inputs
	var settings []string
	if s.Main != "" {
		var err error
		if m.closure, err = t.goClosure(s.Dir, s.Main, m.repo.Platform.OS, m.repo.Platform.Arch); err != nil {
			return err
		}
		m.code = t.linked(m.codeRules())
		rules, parts := m.moduleInputs()
		in.rules = append(t.linked(append(m.packageRules(), m.lintInputs()...)), rules...)
		in.Parts = append(in.Parts, parts...)
		if m.toolchain != "" {
			in.Bases = append(in.Bases, m.toolchain)
		}
		settings = append(settings, "main", s.Main, "go", m.closure.Release, "toolchain", m.toolchain)
		for _, tool := range []Tool{m.tools.Lint, m.tools.Test} {
			settings = append(settings, "tool", tool.Name, tool.digest())
		}
	} else {
		in.rules = append(in.rules, kinded{programs{s.Dir, goTarget{OS: m.repo.Platform.OS, Arch: m.repo.Platform.Arch}}, kindService})
	}
	if s.Dockerfile != "" {
		if err := m.readDockerfile(); err != nil {
			return err
		}
		in.Bases = append(in.Bases, m.docker.Bases...)
		settings = append(settings, "dockerfile", s.Dockerfile, s.Context, "ca-bundle", m.caBundle)
		for _, a := range m.args {
			settings = append(settings, "arg", a.Name, a.Value)
		}
	} else {
		m.packing = []rule{kinded{exact(defaultDockerfiles(m.repo, s)...), kindDocker}}
	}
	in.Parts = append(in.Parts, m.settingsPart())
	in.rules = append(in.rules, m.packing...)
	in.index(t)
	var err error
	in.Hash, err = t.hashInputs(append(settings, m.plan.Platform), in)
	return err
}

// packageRules are the rules for the service's directory and the packages that it uses.
func (m *maker) packageRules() []rule {
	s, c := m.service, m.closure
	rules := []rule{kinded{serviceDir(s.Dir), kindService}}
	for _, p := range c.Packages {
		if !within(s.Dir, p.Dir) || len(p.Embeds) > 0 { // an embedded .md counts
			rules = append(rules, kinded{packageDir(p), "package " + p.Dir})
		}
	}
	return rules
}

// codeRules are the files that checks are handed: more than what counts, as the go command
// wants its module files whole.
func (m *maker) codeRules() []rule {
	rules, files := m.packageRules(), exact(m.closure.Files...)
	for _, dir := range append(up(m.service.Dir), up(m.closure.Main.Dir)...) {
		for _, name := range lintConfigs {
			files[path.Join(dir, name)] = true
		}
	}
	rules = append(rules, files)
	for _, dir := range m.closure.Vendor {
		rules = append(rules, wholeDir(dir))
	}
	return rules
}

func (m *maker) add(s Step) { m.plan.Steps = append(m.plan.Steps, s) }

// export adds a step that writes one file of a step's output below build/.
func (m *maker) export(step, file, to string) {
	m.add(Step{
		ID: m.service.stepID("export/" + file), Name: "export build/" + to, Why: "for people and CI", Needs: []string{step},
		Export: &Export{Step: step, Path: file, To: to},
	})
}

// tool adds the step that compiles a tool.
func (m *maker) tool(t Tool) error {
	step, version, err := t.step(m.plan.Go, m.repo.Platform)
	if err != nil {
		return err
	}
	m.plan.Sources = append(m.plan.Sources, t.source())
	m.need(Root{Go: version})
	m.add(step)
	return nil
}

// need notes that steps run on an assembled toolchain.
func (m *maker) need(r Root) {
	if r.Go == "" {
		return
	}
	for _, v := range m.plan.Requires {
		if v == r.Go {
			return
		}
	}
	m.plan.Requires = append(m.plan.Requires, r.Go)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
