package e2e

import (
	"context"
	"testing"

	"slipway/engine/embedded"
	"slipway/test/gitrepo"
	"slipway/test/registry"
)

// refused runs a call that must end with this exit code and this text alone, before
// anything is written: no build directory, no engine, nothing in the registry.
func refused(t *testing.T, c call, code int, says string, args ...string) {
	t.Helper()
	engine := t.TempDir()
	before := tree(t, c.dir)
	r := c.with("SLIPWAY_CACHE="+engine).slipway(t, args...)
	if r.Code != code || r.Stderr != "slipway: "+says+"\n" || r.Stdout != "" {
		t.Errorf("slipway %q: exit code %d, want %d\nstdout: %s\nstderr: %swant:   slipway: %s", args, r.Code, code, r.Stdout, r.Stderr, says)
	}
	if after := tree(t, c.dir); after != before {
		t.Errorf("slipway %q changed the repository:\n%s\nit was:\n%s", args, after, before)
	}
	if left := tree(t, engine); left != "" {
		t.Errorf("slipway %q started an engine:\n%s", args, left)
		must(t, embedded.Stop(context.Background(), engine))
	}
}

func TestNamesAndFlagsAreCheckedFirst(t *testing.T) {
	r := sample(t, "alpha", "beta")
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"build:service", "alpa"}, `there is no service "alpa": did you mean alpha?`},
		{[]string{"build:service", "zzzzzzzz"}, `there is no service "zzzzzzzz": there are alpha, beta`},
		{[]string{"build:test", "betta"}, `there is no service "betta": did you mean beta?`},
		{[]string{"build:service", "greet"}, `services/greet is no service: it has neither a main package nor a Dockerfile (files that git ignores do not count)`},
		{[]string{"build:service"}, `NAME is missing: usage: build:service NAME [-noReuse=true]`},
		{[]string{"build:service", ""}, "a service's name is missing: write it after the target, as in `mage build:service ping`"},
		{[]string{"build:service", "-json"}, `"-json" is a flag where a service's name belongs: names come first, flags after them`},
		{[]string{"build:service", "alpha", "beta"}, `"beta" is one name too many: usage: build:service NAME [-noReuse=true]`},
		{[]string{"build:all", "alpha"}, `"alpha" is one name too many: usage: build:all [-noReuse=true]`},
		{[]string{"build:service", "alpha", "-race"}, `build:service has no flag -race: usage: build:service NAME [-noReuse=true]`},
		{[]string{"build:plan", "alpha", "-jsn=true"}, `build:plan has no flag -jsn: usage: build:plan NAME [-json=true]`},
		{[]string{"build:plan", "alpha", "-json=perhaps"}, `-json=perhaps: write true or false`},
		{[]string{"build:service", "../alpha"}, `"../alpha" is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them`},
		{[]string{"build:service", "al pha"}, `"al pha" is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them`},
		{[]string{"build:service", "Alpha"}, `"Alpha" is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them`},
		{[]string{"image:push", "alpha,,beta"}, "a service's name is missing: write it after the target, as in `mage build:service ping`"},
		{[]string{"image:push", "alpha, beta"}, `" beta" is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them`},
		{[]string{"build:servce", "alpha"}, `there is no command "build:servce": did you mean build:service?`},
	} {
		refused(t, in(r.Dir), 2, test.says, test.args...)
	}
}

func TestSettingsAreCheckedFirst(t *testing.T) {
	r := sample(t, "alpha")
	for _, test := range []struct {
		env, args []string
		says      string
	}{
		{[]string{"SLIPWAY_ENGINE=podman"}, []string{"build:service", "alpha"}, "SLIPWAY_ENGINE=podman names no engine: use dagger, docker, embedded, or a BuildKit address such as tcp://host:1234 or unix:///run/buildkit/buildkitd.sock"},
		{[]string{"SLIPWAY_PROGRESS=loud"}, []string{"build:service", "alpha"}, "SLIPWAY_PROGRESS=loud: invalid progress mode loud (use auto, plain, tty, rawjson or quiet)"},
		{[]string{"REGISTRY_USER=me"}, []string{"build:service", "alpha"}, "REGISTRY_USER and REGISTRY_PASSWORD belong together, and one of them is not set"},
		{[]string{"REGISTRY=Example.com/Group"}, []string{"image:push", "alpha"}, "Example.com/Group/alpha:20240725_" + r.Head()[:8] + " is no image reference: check REGISTRY, or registry: and image: in slipway.yaml (registry.example.com/group, in lower case)"},
		{[]string{"REGISTRY=https://example.com"}, []string{"image:push", "alpha"}, "https://example.com/alpha:20240725_" + r.Head()[:8] + " is no image reference: check REGISTRY, or registry: and image: in slipway.yaml (registry.example.com/group, in lower case)"},
		{nil, []string{"image:push", "alpha"}, "no registry to push to: set REGISTRY (registry.example.com/group), or registry: in slipway.yaml"},
	} {
		refused(t, in(r.Dir, test.env...), 2, test.says, test.args...)
	}
}

func TestAPlaceWithoutCommits(t *testing.T) {
	empty := gitrepo.New(t)
	none := t.TempDir()
	for dir, says := range map[string]string{
		none:      none + " is not in a git repository, and slipway names images by commits: run `git init` and commit, or go to a clone",
		empty.Dir: empty.Dir + " has no commit yet, and a tag names a commit: run `git commit` first",
	} {
		refused(t, in(dir), 2, says, "build:service", "alpha")
		refused(t, in(dir), 2, says, "build:all")
	}
}

func TestARepositoryWithoutServices(t *testing.T) {
	r := gitrepo.New(t)
	r.Write("README.md", "empty\n")
	r.Write("services/notes/notes.txt", "no code\n")
	r.Commit("Start", gitrepo.Epoch)
	refused(t, in(r.Dir), 2, "there is nothing to build: no directory of services/ has a main package or a Dockerfile that git knows", "build:all")
	refused(t, in(r.Dir), 2, "services/notes is no service: it has neither a main package nor a Dockerfile (files that git ignores do not count)", "build:service", "notes")
	refused(t, in(r.Dir), 2, `there is no service "ping": no directory of services/ has a main package or a Dockerfile that git knows`, "build:service", "ping")
}

func TestABrokenFileIsNamedWithItsLine(t *testing.T) {
	for _, test := range []struct{ path, content, says string }{
		{"slipway.yaml", "project: sample\nregstry: example.com\n", `slipway.yaml:2: unknown key "regstry": did you mean "registry"?`},
		{"slipway.yaml", "services:\n  alfa: {image: x}\n", `slipway.yaml: services: there is no service "alfa": did you mean alpha?`},
		{"services/alpha/Dockerfile", "FROM scratch\nCOPI . .\n", "planning alpha: services/alpha/Dockerfile:2: unknown instruction: COPI (did you mean COPY?)"},
		{"services/alpha/Dockerfile", "# nothing\n", "planning alpha: services/alpha/Dockerfile:1: file with no instructions"},
		{"services/go.mod", "module sample\n\ngo abc\n", "planning alpha: services/go.mod:3: invalid go version 'abc': must match format 1.23.0"},
		{"services/go.mod", "module sample\n", "planning alpha: services/go.mod: no go line says which Go builds it: run `go mod edit -go=1.26.0` there"},
	} {
		r := sample(t, "alpha")
		r.Write(test.path, test.content)
		r.Commit("Break it", later(1))
		refused(t, in(r.Dir), 2, test.says, "build:service", "alpha")
	}
}

func TestUncommittedChangesAreNotPushed(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	r := sample(t, "alpha", "beta")
	r.Write("services/greet/new.go", "package greet\n")
	r.Write("services/alpha/main_test.go", read(t, file(r, "services/alpha/main_test.go"))+"\n// changed\n")
	says := "alpha has uncommitted changes (services/alpha/main_test.go, services/greet/new.go), and a pushed tag must name a commit: commit them, or build without pushing"
	refused(t, in(r.Dir, "REGISTRY="+reg.Host+"/group"), 2, says, "image:push", "alpha")
	refused(t, in(r.Dir, "REGISTRY="+reg.Host+"/group"), 2, says, "image:push", "alpha,beta")
	if q := reg.Requests(); len(q) > 0 {
		t.Errorf("the registry was asked: %v", q)
	}
}
