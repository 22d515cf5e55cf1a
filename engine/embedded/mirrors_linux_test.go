package embedded

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/tonistiigi/fsutil"
)

func TestRunningServerFollowsTheMirrors(t *testing.T) {
	first, firstAsked := mirror(t, "first")
	second, secondAsked := mirror(t, "second")
	o := options(t)
	o.Mirrors = []string{first}
	s := started(t, o)
	c := connect(t, s)

	// The same reference each time: what the server remembers of it must go with the mirror.
	image := llb.Image("docker.io/library/slipway-probe:1", llb.ResolveModeForcePull)
	out, err := solve(t.Context(), t, c, image, nil)
	must(t, err)
	wantFile(t, out+"/who", "first")

	// Mirrors are tried in their order: one that is not there is passed over.
	o.Mirrors = []string{"http://127.0.0.1:1", "http://" + second}
	again := started(t, o)
	if again.PID != s.PID {
		t.Fatal("another server was started")
	}
	before := firstAsked.Load()
	out, err = solve(t.Context(), t, c, image, nil)
	must(t, err)
	wantFile(t, out+"/who", "second")
	if firstAsked.Load() != before || secondAsked.Load() == 0 {
		t.Error("the first mirror was asked after the setting had changed")
	}
}

// The Dockerfile frontend is built in: a "# syntax=" line pulls nothing when the build
// names the frontend itself.
func TestDockerfileOnAMirroredBase(t *testing.T) {
	host, _ := mirror(t, "base")
	o := options(t)
	o.Mirrors = []string{host}
	c := connect(t, started(t, o))
	dir := t.TempDir()
	dockerfile := "# syntax=docker/dockerfile:1\nFROM slipway-probe:1\nCOPY Dockerfile /copied\n"
	must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644))
	local, err := fsutil.NewFS(dir)
	must(t, err)
	out := t.TempDir()
	_, err = c.Solve(t.Context(), nil, client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: map[string]string{"cmdline": "docker/dockerfile:1"},
		LocalMounts:   map[string]fsutil.FS{"context": local, "dockerfile": local},
		Exports:       []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: out}},
	}, nil)
	must(t, err)
	must(t, os.Chmod(filepath.Join(out, "who"), 0o600)) // crane.Image gives it mode 0, which keeps out all but root
	wantFile(t, filepath.Join(out, "who"), "base")
	wantFile(t, filepath.Join(out, "copied"), dockerfile)
}

func TestPushesToALoopbackRegistry(t *testing.T) {
	host, _ := mirror(t, "any")
	c := connect(t, started(t, options(t)))
	def, err := llb.Scratch().File(llb.Mkfile("/pushed", 0o644, []byte("yes"))).Marshal(t.Context())
	must(t, err)
	ref := host + "/team/app:1"
	_, err = c.Solve(t.Context(), def, client.SolveOpt{Exports: []client.ExportEntry{{
		Type: client.ExporterImage, Attrs: map[string]string{"name": ref, "push": "true"},
	}}}, nil)
	must(t, err)
	tag, err := name.ParseReference(ref)
	must(t, err)
	_, err = remote.Get(tag)
	must(t, err)
}

// mirror serves a registry whose image library/slipway-probe:1 holds the file /who.
func mirror(t *testing.T, who string) (host string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	reg := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		reg.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	image, err := crane.Image(map[string][]byte{"who": []byte(who)})
	must(t, err)
	must(t, crane.Push(image, host+"/library/slipway-probe:1"))
	return host, asked
}
