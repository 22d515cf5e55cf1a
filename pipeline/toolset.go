package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/modfile"
)

// Tool is a program that checks use, pinned by a module file and compiled in a container.
type Tool struct {
	Name string // of the module file: "golangci-lint"
	Mod  string // content of its go.mod
	Sum  string // content of its go.sum
}

// Toolset are the tools that plans need.
type Toolset struct {
	Lint Tool // golangci-lint
	Test Tool // gotestsum, and gocover-cobertura
}

// Places inside the containers.
const (
	srcDir   = "/src"
	outDir   = "/out"
	modCache = "/go/pkg/mod"
	goCache  = "/root/.cache/go-build"
	toolsDir = "/opt/slipway"
)

// Caches that steps share, by name.
const (
	CacheModules = "go-mod"
	CacheBuild   = "go-build"
	CacheLint    = "golangci-lint"
)

// Secrets that steps mount where the caller has them. A Dockerfile may mount them too, by these
// ids: RUN --mount=type=secret,id=npmrc,target=/root/.npmrc.
const (
	// SecretCA is the machine's CA bundle: a proxy that opens TLS has its own root there.
	SecretCA = "ca-bundle"
	// SecretGoEnv is a file of GOPROXY and its like, as `go env -w` writes it.
	SecretGoEnv = "go-env"
	// SecretNetrc holds credentials for a private module proxy.
	SecretNetrc = "netrc"
	// SecretNpmrc says where npm's packages come from, with credentials.
	SecretNpmrc = "npmrc"
)

// goMounts are what every step that runs go mounts. Settings of the machine come as
// secrets: they decide where modules come from, not what they are, so they are no part of
// a cache key.
func goMounts() []Mount {
	return []Mount{
		{Target: modCache, Cache: CacheModules},
		{Target: goCache, Cache: CacheBuild},
		{Target: "/etc/ssl/certs/ca-certificates.crt", Secret: SecretCA},
		{Target: "/root/.config/go/env", Secret: SecretGoEnv},
		{Target: "/root/.netrc", Secret: SecretNetrc},
	}
}

func goEnv(p Platform, more ...Var) []Var {
	return append([]Var{
		{"CGO_ENABLED", "0"}, {"GOARCH", p.Arch}, {"GOCACHE", goCache}, {"GOFLAGS", "-buildvcs=false"},
		{"GOMODCACHE", modCache}, {"GOOS", p.OS}, {"HOME", "/root"},
	}, more...)
}

// goVersion is the Go release that compiles the tool: what its go.mod asks for, or the
// service's where that is newer, since a linter must know the language it reads.
func (t Tool) goVersion(service string) (string, error) {
	f, err := modfile.Parse(t.Name+".mod", []byte(t.Mod), nil)
	if err != nil {
		return "", fmt.Errorf("reading the pinned tool %s: %w", t.Name, err)
	}
	own, err := (&module{File: f}).goVersion()
	if err != nil {
		return "", err
	}
	if compareGo(service, own) > 0 {
		return service, nil
	}
	return own, nil
}

// packages are the commands that the module file's tool lines name.
func (t Tool) packages() ([]string, error) {
	f, err := modfile.Parse(t.Name+".mod", []byte(t.Mod), nil)
	if err != nil {
		return nil, fmt.Errorf("reading the pinned tool %s: %w", t.Name, err)
	}
	var out []string
	for _, tool := range f.Tool {
		out = append(out, tool.Path)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the pinned tool %s has no tool line: run `go get -tool` in its module", t.Name)
	}
	return out, nil
}

func (t Tool) source() Source {
	return Source{Name: "tool/" + t.Name, Literal: map[string]string{"go.mod": t.Mod, "go.sum": t.Sum}}
}

// digest is of what the tool is compiled from: its module files are long, and every service
// hashes them.
func (t Tool) digest() string {
	mod, sum := sha256.Sum256([]byte(t.Mod)), sha256.Sum256([]byte(t.Sum))
	return hex.EncodeToString(mod[:]) + hex.EncodeToString(sum[:])
}

func (t Tool) stepID() string { return "tool/" + t.Name }

// step compiles the tool.
func (t Tool) step(service string, p Platform) (Step, string, error) {
	version, err := t.goVersion(service)
	if err != nil {
		return Step{}, "", err
	}
	pkgs, err := t.packages()
	if err != nil {
		return Step{}, "", err
	}
	return Step{
		ID: t.stepID(), Name: "compile " + t.Name, Why: "pinned; compiled once and cached",
		Run: &Run{
			On:     Root{Go: version},
			Args:   append([]string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", outDir + "/"}, pkgs...),
			Dir:    srcDir,
			Env:    goEnv(p),
			Mounts: append([]Mount{{Target: srcDir, Source: t.source().Name}}, goMounts()...),
		},
	}, version, nil
}

func (t Tool) mount() Mount { return Mount{Target: toolsDir + "/" + t.Name, Step: t.stepID()} }
