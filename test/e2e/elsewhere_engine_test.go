package e2e

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"slipway/test/baseimage"
	"slipway/test/gitrepo"
)

type readCloser = io.ReadCloser

type nopCloser struct{ io.Reader }

func (nopCloser) Close() error { return nil }

const elsewhereDockerfile = `# syntax=docker/dockerfile:1
ARG GO=1.26-bookworm
FROM golang:${GO} AS build
ARG TAGS=none
ENV CGO_ENABLED=0 GOTOOLCHAIN=local
WORKDIR /src
RUN --mount=type=bind,source=go.mod,target=go.mod \
    --mount=type=bind,source=go.sum,target=go.sum \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=secret,id=netrc,target=/root/.netrc \
    --mount=type=secret,id=go-env,target=/root/.config/go/env \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    go mod download
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    test ! -e notes.txt && go build -trimpath -tags "$TAGS" -o /answer .

FROM scratch
COPY --from=build /answer /answer
ENTRYPOINT ["/answer"]
`

// elsewhere is a repository that knows nothing of slipway but its layout.
func elsewhere(t testing.TB, p *goProxy, images string) *gitrepo.Repo {
	t.Helper()
	r := gitrepo.New(t)
	r.Write(".gitignore", "/build/\n")
	r.Write("slipway.yaml", "services:\n  answer:\n    args: {TAGS: release}\n")
	r.Write("services/answer/.dockerignore", "*.txt\nbuild\n")
	r.Write("services/answer/notes.txt", "not for the image\n")
	r.Write("services/answer/Dockerfile", strings.Replace(elsewhereDockerfile, "FROM golang:", "FROM "+images+"/library/golang:", 1))
	r.Write("services/answer/go.mod", "module elsewhere.example.com/answer\n\ngo "+goVersion(t)+"\n\nrequire "+p.module+" "+p.version+"\n")
	r.Write("services/answer/go.sum", p.sum+p.modSum)
	r.Write("services/answer/main.go", "// Command answer answers.\npackage main\n\nimport (\n\t\"fmt\"\n\n\t\""+p.module+"\"\n)\n\nfunc main() { fmt.Println(secretlib.Answer(), mode) }\n")
	r.Write("services/answer/release.go", "//go:build release\n\npackage main\n\nconst mode = \"released\"\n")
	r.Write("services/answer/none.go", "//go:build !release\n\npackage main\n\nconst mode = \"not released\"\n")
	r.Commit("Start", gitrepo.Epoch)
	return r
}

func TestAServiceFromElsewhereWithAPrivateModuleProxy(t *testing.T) {
	const password = "canary-0f3c9a71"
	p := newGoProxy(t, password)
	mirror := baseimage.Mirror(t, "golang:1.26-bookworm")
	// By its registry's name: a mirror would be lost with the next command that has none, since
	// an engine's mirrors are those of the command that started last.
	r := elsewhere(t, p, mirror.Host)
	c := in(r.Dir, p.env(t)...)
	res := c.slipway(t, "build:service", "answer").Exits(t, 0)
	if p.served.Load() == 0 {
		t.Error("the private proxy served nothing")
	}
	index, err := layout.ImageIndexFromPath(filepath.Join(r.Dir, "build", "answer.oci"))
	must(t, err)
	manifest, err := index.IndexManifest()
	must(t, err)
	image, err := index.Image(manifest.Manifests[0].Digest)
	must(t, err)
	config, err := image.RawConfigFile()
	must(t, err)
	layers := mutate.Extract(image)
	defer func() { _ = layers.Close() }()
	content, err := io.ReadAll(layers)
	must(t, err)
	if !strings.Contains(string(content), "forty-two") {
		t.Error("the image's binary is not made with the private module")
	}
	for name, text := range map[string]string{"the image's config": string(config), "its layers": string(content), "stdout": res.Stdout, "stderr": res.Stderr} {
		if strings.Contains(text, password) {
			t.Errorf("the proxy's password is in %s", name)
		}
	}
	for _, name := range []string{"run.json", "reports/answer.junit.xml"} {
		if strings.Contains(read(t, r.Dir, "build", name), password) {
			t.Errorf("the proxy's password is in build/%s", name)
		}
	}
	if strings.Contains(read(t, cache, "buildkit", "buildkitd.log"), password) {
		t.Error("the proxy's password is in the engine's log")
	}
}
