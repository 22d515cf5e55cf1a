package choose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/engine/dagger"
	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
)

// daggers are all differences between the embedded engine's file tree and Dagger's ("docker" here).
var daggers = map[string][]string{"packed": {
	// COPY --chmod leaves the directories that it makes on its way alone.
	"docker: modes drwxr-xr-x 0:0 dir",
	"embedded: modes dr--r----- 0:0 dir",
}}

// TestOnePlanOnDagger runs the same plan on a Dagger engine, where there is one.
func TestOnePlanOnDagger(t *testing.T) {
	if !dagger.There(t.Context()) {
		t.Skip("NOT RUN: there is no Dagger engine. Put Dagger's CLI v0.21.8 on PATH, with Docker or " + dagger.RunnerHost + " naming its engine")
	}
	mirror := baseimage.Mirror(t, "alpine:3.20")
	repo := sample(t)
	ours := runOn(t, Options{Setting: "embedded", Mirrors: []string{mirror.Host}}, repo, "app", "packed")
	theirs := runOn(t, Options{Setting: "dagger"}, repo, "app", "packed")
	again := runOn(t, Options{Setting: "dagger"}, repo, "app", "packed")
	for _, service := range []string{"app", "packed"} {
		t.Run(service, func(t *testing.T) {
			a, b := ours[service], theirs[service]
			if b.digest != again[service].digest {
				t.Errorf("two runs give %s and %s", b.digest, again[service].digest)
			}
			if diff := cmp.Diff(a.states, b.states); diff != "" {
				t.Errorf("the steps end otherwise (-embedded +dagger):\n%s", diff)
			}
			if diff := cmp.Diff(outputs(t, a.build, service), outputs(t, b.build, service)); diff != "" {
				t.Errorf("build/ has something else (-embedded +dagger):\n%s", diff)
			}
			first, second := layoutImage(t, filepath.Join(a.build, service+".oci")), layoutImage(t, filepath.Join(b.build, service+".oci"))
			if diff := cmp.Diff(daggers[service], difference(madeHere(files(t, first)), madeHere(files(t, second)))); diff != "" {
				t.Errorf("the file trees differ otherwise than is known (-known +found):\n%s", diff)
			}
			one, other := config(t, first), config(t, second)
			// Dagger keeps no history (its entries are one a layer), and not the mark that the
			// Dockerfile's frontend sets for Windows alone.
			delete(one, "history")
			delete(other, "history")
			delete(one["config"].(map[string]any), "ArgsEscaped")
			if diff := cmp.Diff(one, other); diff != "" {
				t.Errorf("the configs differ (-embedded +dagger):\n%s", diff)
			}
		})
	}
}

// madeHere are the entries that the sample's Dockerfile makes: a Dagger engine may have another
// alpine than the tests' own.
func madeHere(files []string) []string {
	return slices.DeleteFunc(files, func(line string) bool {
		return !slices.ContainsFunc([]string{"app", "data", "made", "modes", "name ", "owned", "cache", "build"}, func(p string) bool { return strings.HasPrefix(line, p) })
	})
}

// deviations are all differences between file trees that are known, each Docker 20.10's.
var deviations = map[string][]string{"packed": {
	// It keeps the place that a RUN --mount had in the image.
	"docker: cache drwxr-xr-x 0:0 dir",
	// COPY --chmod leaves the directories that it makes on its way alone.
	"docker: modes drwxr-xr-x 0:0 dir",
	"embedded: modes dr--r----- 0:0 dir",
}}

// TestOnePlanOnEveryEngine runs one plan on the embedded engine and on an old Docker's
// BuildKit: what a person gets must not depend on which it was.
func TestOnePlanOnEveryEngine(t *testing.T) {
	mirror := baseimage.Mirror(t, "alpine:3.20")
	daemon := dockerd.Start(t, dockerd.Options{HostNetwork: true, Mirrors: []string{mirror.Host}})
	repo := sample(t)
	ours := runOn(t, Options{Setting: "embedded", Mirrors: []string{mirror.Host}}, repo, "app", "packed")
	docker := runOn(t, Options{Setting: "docker", DockerHost: daemon.Host}, repo, "app", "packed")

	for _, service := range []string{"app", "packed"} {
		t.Run(service, func(t *testing.T) {
			a, b := ours[service], docker[service]
			if diff := cmp.Diff(a.states, b.states); diff != "" {
				t.Errorf("the steps end otherwise (-embedded +docker):\n%s", diff)
			}
			if diff := cmp.Diff(outputs(t, a.build, service), outputs(t, b.build, service)); diff != "" {
				t.Errorf("build/ has something else (-embedded +docker):\n%s", diff)
			}
			first, second := layoutImage(t, filepath.Join(a.build, service+".oci")), dockerImage(t, daemon, b.plan.Ref(), b.digest)
			if diff := cmp.Diff(deviations[service], difference(files(t, first), files(t, second))); diff != "" {
				t.Errorf("the file trees differ otherwise than is known (-known +found):\n%s", diff)
			}
			if diff := cmp.Diff(config(t, first), config(t, second)); diff != "" {
				t.Errorf("the configs differ (-embedded +docker):\n%s", diff)
			}
		})
	}
	tree := files(t, layoutImage(t, filepath.Join(ours["packed"].build, "packed.oci")))
	for _, want := range []string{
		"data/run.sh -rwxr-xr-x 0:0 ", "data/link Lrwxrwxrwx 0:0 -> sub/deep.txt", "owned/plain.txt -rw-r--r-- 1000:1001 ",
		"made/secret -rw------- 7:8 ", "modes/plain.txt -r--r----- 0:0 ", "data/with space.txt -rw-r--r-- 0:0 ",
	} {
		if !slices.ContainsFunc(tree, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("the sample does not have %q:\n%s", want, strings.Join(tree, "\n"))
		}
	}
	if slices.ContainsFunc(tree, func(line string) bool { return strings.HasPrefix(line, "data/ignored") }) {
		t.Error("a file that .dockerignore names is in the image")
	}
}

// sample has a Go service on scratch, and one whose Dockerfile does what is easily done
// differently: owners, modes, links, directories made on the way, files that RUN makes.
func sample(t *testing.T) *gitrepo.Repo {
	t.Helper()
	r := gitrepo.New(t)
	for _, name := range []string{"Dockerfile", ".dockerignore", "go.mod"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "services", name))
		must(t, err)
		if name == "go.mod" {
			release, _, _ := strings.Cut(string(data)[strings.Index(string(data), "\ngo ")+4:], "\n")
			data = []byte("module sample\n\ngo " + release + "\n")
		}
		r.Write("services/"+name, string(data))
	}
	r.Write("services/app/main.go", "// Command app greets.\npackage main\n\nfunc main() { println(greeting()) }\n\nfunc greeting() string { return \"hello\" }\n")
	r.Write("services/app/main_test.go", "package main\n\nimport \"testing\"\n\nfunc TestGreeting(t *testing.T) {\n\tif greeting() != \"hello\" {\n\t\tt.Error(greeting())\n\t}\n}\n")
	r.Write("services/packed/Dockerfile", packedDockerfile)
	r.Write("services/packed/.dockerignore", "**/ignored*\n")
	r.Write("services/packed/data/run.sh", "#!/bin/sh\n")
	r.Write("services/packed/data/plain.txt", "plain\n")
	r.Write("services/packed/data/with space.txt", "space\n")
	r.Write("services/packed/data/sub/deep.txt", "deep\n")
	r.Write("services/packed/data/ignored.txt", "ignored\n")
	must(t, os.Symlink("sub/deep.txt", filepath.Join(r.Dir, "services/packed/data/link")))
	r.Commit("Start", gitrepo.Epoch)
	return r
}

const packedDockerfile = `# syntax=docker/dockerfile:1
ARG BASE=alpine:3.20
FROM ${BASE} AS make
RUN --mount=type=secret,id=go-env,required=true test -e /run/secrets/go-env && mkdir /made && echo secret >/made/secret && chmod 600 /made/secret && chown 7:8 /made/secret && ln /made/secret /made/hard
FROM ${BASE}
ARG SERVICE
ENV NAME=${SERVICE} EMPTY="" QUOTED="a \"b\" $c"
LABEL own=label org.opencontainers.image.title=overridden
COPY data /data
COPY --chown=1000:1001 data/plain.txt /owned/
COPY --chmod=0440 data/plain.txt /modes/
COPY --from=make /made /made
RUN --mount=type=cache,target=/cache touch /cache/x && echo "$SERVICE" >/name && rm /data/plain.txt
WORKDIR /data/sub
USER 1000:1001
EXPOSE 8080 9000/udp
VOLUME ["/var/lib/x"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --retries=2 CMD ["true"]
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["/data/run.sh"]
CMD ["a", "b"]
`
