package pipeline

import (
	"fmt"
	"path"
)

// CABundleFile is where a build context finds the CA bundle that slipway carries.
const CABundleFile = "build/ca-certificates.crt"

// image adds the steps that pack the service by its Dockerfile.
func (m *maker) image() {
	s := m.service
	build := m.dockerStep("image", "the image, by "+s.Dockerfile)
	build.Needs = m.checks()
	build.Build.Env = []Var{{"VERSION", m.plan.Tag}}
	build.Build.Labels = m.labels()
	m.add(build)
	m.add(Step{
		ID: s.stepID("export/image"), Name: "export the image of " + s.Name, Why: "build/" + s.Name + ".oci, or the Docker store", Needs: []string{build.ID},
		Export: &Export{Step: build.ID, Image: true, To: s.Name + ".oci"},
	})
}

// stages adds the Dockerfile's own lint and test stages, the checks of a service without
// Go code.
func (m *maker) stages() {
	for _, st := range []struct {
		name string
		want bool
	}{{"lint", m.want.Lint}, {"test", m.want.Test}} {
		if !st.want || !m.docker.hasStage(st.name) {
			continue
		}
		step := m.dockerStep(st.name, "the stage "+st.name+" of "+m.service.Dockerfile)
		step.Build.Target, step.Build.Check = st.name, true
		m.add(step)
	}
}

func (m *maker) dockerStep(what, why string) Step {
	s := m.service
	b := &Build{Dockerfile: s.Dockerfile, Source: s.Name + "/context", Args: m.args, Bases: m.docker.Bases}
	b.Extra = []Extra{{To: CABundleFile, CABundle: true}}
	if s.Main != "" {
		b.Extra = append(b.Extra, Extra{To: "build/" + s.Name, Step: s.stepID("build"), Path: s.Name})
	}
	return Step{ID: s.stepID(what), Name: what + " " + s.Name, Why: why, Build: b}
}

// checks are the steps that must have succeeded before the image is built.
func (m *maker) checks() []string {
	var ids []string
	for _, st := range m.plan.Steps {
		if st.ID == m.service.stepID("build") || st.ID == m.service.stepID("lint") || st.ID == m.service.stepID("test") {
			ids = append(ids, st.ID)
		}
	}
	return ids
}

// labels are OCI's predefined annotation keys (image-spec, annotations.md).
func (m *maker) labels() []Var {
	const prefix = "org.opencontainers.image."
	labels := []Var{
		{prefix + "created", m.plan.Created.UTC().Format("2006-01-02T15:04:05Z")},
		{prefix + "revision", m.plan.Commit},
	}
	if m.source != "" {
		labels = append(labels, Var{prefix + "source", m.source})
	}
	return append(labels, Var{prefix + "title", m.service.Name}, Var{prefix + "version", m.plan.Tag})
}

// buildArgs are the Dockerfile's contract: SERVICE, and DAEMON as older repositories have it.
func (s *Service) buildArgs() []Var {
	args := map[string]string{"SERVICE": s.Name, "DAEMON": s.Name}
	for k, v := range s.Settings.Args {
		args[k] = v
	}
	var out []Var
	for _, k := range sortedKeys(args) {
		out = append(out, Var{k, args[k]})
	}
	return out
}

// docker reads the service's Dockerfile and notes what of the context it uses.
func (m *maker) readDockerfile() error {
	s, t := m.service, m.repo.Tree
	m.args = s.buildArgs()
	data, err := t.Read(s.Dockerfile)
	if err != nil {
		return fmt.Errorf("reading %s: %w", s.Dockerfile, err)
	}
	if m.docker, err = parseDockerfile(s.Dockerfile, data, m.repo.Platform, m.args); err != nil {
		return err
	}
	files := contextFiles{root: s.Context, copies: m.docker.Copies}
	m.packing = []rule{kinded{exact(s.Dockerfile), kindDocker}}
	if own := path.Join(s.Dir, "Dockerfile"); s.Settings.Dockerfile == "" {
		m.packing = append(m.packing, kinded{exact(own), kindDocker}) // it would win
		if s.Dockerfile == own && s.Settings.Context == "" {
			m.plan.Inputs.Parts = append(m.plan.Inputs.Parts, m.contextPart())
		}
	}
	ignores := ignoreFiles(s.Dockerfile, s.Context)
	for _, ignore := range ignores {
		if t.Has(ignore) {
			if files.ignore, err = t.readIgnore(ignore); err != nil {
				return err
			}
			break
		}
	}
	if files = t.linkedContext(files); len(files.copies) > 0 {
		m.packing = append(m.packing, kinded{files, kindContext})
		m.plan.Inputs.Parts = append(m.plan.Inputs.Parts, t.ignorePart(ignores, files.copies))
	}
	src := Source{Name: s.Name + "/context", Root: s.Context}
	for _, f := range t.match([]rule{files}) {
		if rel(s.Context, f) != "build/"+s.Name {
			src.Files = append(src.Files, rel(s.Context, f))
		}
	}
	m.plan.Sources = append(m.plan.Sources, src)
	return nil
}
