package pipeline

import (
	"fmt"
	"path"
	"strings"
)

// IDs of a service's steps.
func (s *Service) stepID(what string) string { return s.Name + "/" + what }

// goCheck adds the steps that build, lint and test a service's Go code.
func (m *maker) goCheck() error {
	s, c := m.service, m.closure
	version, err := c.goVersion()
	if err != nil {
		return err
	}
	m.plan.Go, m.plan.Module = version, &Module{Path: c.Main.Path, Dir: c.Main.Dir}
	root := Root{Go: version}
	if m.toolchain != "" {
		root = Root{Image: m.toolchain}
	}
	src := Source{Name: s.Name, Root: ".", Files: m.repo.Tree.match(m.code)}
	m.plan.Sources = append(m.plan.Sources, src)
	dir := path.Join(srcDir, c.Main.Dir)
	mounts := append([]Mount{{Target: srcDir, Source: src.Name}}, goMounts()...)
	env := func(more ...Var) []Var {
		if m.toolchain != "" {
			// The release is go.mod's, whatever the image brings.
			more = append(more, Var{"GOTOOLCHAIN", "go" + version})
		}
		return goEnv(m.repo.Platform, more...)
	}
	main := "./" + rel(c.Main.Dir, s.Main)
	targets := m.targets()

	m.need(root)
	m.add(Step{
		ID: s.stepID("build"), Name: "build " + s.Name, Why: "the binary",
		Run: &Run{
			On: root, Dir: dir, Env: env(), Mounts: mounts,
			Args: []string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", outDir + "/" + s.Name, main},
		},
	})
	m.export(s.stepID("build"), s.Name, s.Name)

	if m.want.Lint {
		if err := m.tool(m.tools.Lint); err != nil {
			return err
		}
		tool := m.tools.Lint.mount()
		m.add(Step{
			ID: s.stepID("lint"), Name: "lint " + s.Name, Why: "golangci-lint with the repository's settings",
			Needs: []string{m.tools.Lint.stepID()}, After: []string{s.stepID("build")},
			Run: &Run{
				On: root, Dir: dir, Verdict: true,
				Env:    env(Var{"GOLANGCI_LINT_CACHE", "/root/.cache/golangci-lint"}),
				Mounts: append(mounts[:len(mounts):len(mounts)], tool, Mount{Target: "/root/.cache/golangci-lint", Cache: CacheLint}),
				Args: verdict(strings.Join(append([]string{
					tool.Target + "/golangci-lint", "run", "--path-mode=abs", "--color=never", "--output.text.path=stdout",
					"--output.code-climate.path=" + outDir + "/lint.json"}, targets...), " "),
					// Reports name files as the repository does.
					"[ ! -f "+outDir+"/lint.json ] || sed -i 's#\"path\":\""+srcDir+"/#\"path\":\"#g' "+outDir+"/lint.json"),
			},
		})
		m.export(s.stepID("lint"), "lint.json", reportFile(s.Name, "codequality.json"))
	}
	if m.want.Test {
		if err := m.tool(m.tools.Test); err != nil {
			return err
		}
		tool := m.tools.Test.mount()
		race, testEnv := "", env()
		if m.toolchain != "" {
			race, testEnv = "-race ", replaceVar(testEnv, "CGO_ENABLED", "1")
		}
		m.add(Step{
			ID: s.stepID("test"), Name: "test " + s.Name, Why: "the service's tests and those of the packages it shares",
			Needs: []string{m.tools.Test.stepID()}, After: []string{s.stepID("build")},
			Run: &Run{
				On: root, Dir: dir, Verdict: true, Env: testEnv,
				Mounts: append(mounts[:len(mounts):len(mounts)], tool),
				Args: verdict(fmt.Sprintf("%[1]s/gotestsum --format=pkgname --no-color --junitfile=%[2]s/junit.xml --jsonfile=%[2]s/test.json -- %[3]s-coverprofile=%[2]s/cover.out -covermode=atomic %[4]s",
					tool.Target, outDir, race, strings.Join(targets, " ")),
					// Reports name files as the repository does.
					fmt.Sprintf("if [ -s %[2]s/cover.out ]; then %[1]s/gocover-cobertura <%[2]s/cover.out | sed 's#<source>%[3]s</source>#<source>.</source>#; s# filename=\"# filename=\"%[4]s#' >%[2]s/cobertura.xml; fi",
						tool.Target, outDir, dir, prefix(c.Main.Dir))),
			},
		})
		m.export(s.stepID("test"), "junit.xml", reportFile(s.Name, "junit.xml"))
		m.export(s.stepID("test"), "cobertura.xml", reportFile(s.Name, "cobertura.xml"))
	}
	return nil
}

// prefix turns a path relative to dir into one of the repository.
func prefix(dir string) string {
	if dir == "." {
		return ""
	}
	return dir + "/"
}

// reportFile is where a report goes below the build directory.
func reportFile(service, kind string) string { return "reports/" + service + "." + kind }

// verdict is a shell command that keeps its exit status in /out/exit, does what comes
// after whether it failed or not, and exits with 0.
func verdict(command string, after ...string) []string {
	lines := append([]string{command + "; status=$?"}, after...)
	lines = append(lines, "echo $status >"+outDir+"/exit")
	return []string{"sh", "-c", strings.Join(lines, "\n")}
}

// targets are the packages to lint and test: the service's own, and those of its module
// that it uses, whose tests nobody else would run.
func (m *maker) targets() []string {
	s, c := m.service, m.closure
	var own, shared []string
	for _, p := range c.Packages {
		switch {
		case m.repo.Tree.moduleDir(p.Dir) != c.Main.Dir:
		case within(s.Dir, p.Dir):
			own = []string{"./" + path.Join(rel(c.Main.Dir, s.Dir), "...")}
			if within(s.Dir, c.Main.Dir) { // a module of its own, maybe below the service's directory
				own[0] = "./..."
			}
		default:
			shared = append(shared, "./"+rel(c.Main.Dir, p.Dir))
		}
	}
	return append(own, shared...)
}

func replaceVar(env []Var, name, value string) []Var {
	out := append([]Var(nil), env...)
	for i := range out {
		if out[i].Name == name {
			out[i].Value = value
		}
	}
	return out
}
