package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"slipway/engine/embedded"
	"slipway/test/baseimage"
)

// basic are credentials.
type basic struct{ user, password string }

func (b *basic) Authorization() (*authn.AuthConfig, error) {
	return &authn.AuthConfig{Username: b.user, Password: b.password}, nil
}

// serve runs a BuildKit server of its own, which a build can use as a remote one.
func serve(t testing.TB) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), embedded.Options{CacheDir: ownCache(t), ServerSource: filepath.Join(home, "tools", "buildkitd")})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// proxy listens on TCP for a server that has a unix socket alone.
func proxy(t testing.TB, unix string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", strings.TrimPrefix(unix, "unix://"))
			if err != nil {
				_ = from.Close()
				continue
			}
			go pipe(from, to)
			go pipe(to, from)
		}
	}()
	return "tcp://" + l.Addr().String()
}

func TestABuildKitAtAnAddress(t *testing.T) {
	s := serve(t)
	r := box(t)
	digests := map[string]bool{}
	for _, address := range []string{s.Addr, proxy(t, s.Addr)} {
		res := in(r.Dir, "SLIPWAY_ENGINE="+address).slipway(t, "build:service", "box").Exits(t, 0)
		digests[res.Stdout] = true
		if got := engineOf(t, r); got != "BuildKit at "+address {
			t.Errorf("it ran on %s", got)
		}
		index, err := layout.ImageIndexFromPath(filepath.Join(r.Dir, "build", "box.oci"))
		must(t, err)
		must(t, validate.Index(index))
	}
	if len(digests) != 1 {
		t.Errorf("one server by two addresses gave %v", digests)
	}
}

func TestAnEngineThatDoesNotAnswer(t *testing.T) {
	silent, err := net.Listen("tcp4", "127.0.0.1:0") // takes connections and says nothing
	must(t, err)
	defer func() { _ = silent.Close() }()
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	must(t, gone.Close())
	r := box(t)
	for _, address := range []string{
		"tcp://" + silent.Addr().String(), "tcp://" + gone.Addr().String(), "unix://" + filepath.Join(t.TempDir(), "nothing.sock"),
	} {
		p := in(r.Dir, "SLIPWAY_ENGINE="+address).start(t, "build:service", "box")
		select {
		case <-p.Done:
		case <-time.After(time.Minute): // its own limit is ten seconds
			t.Fatalf("%s: still waiting after a minute:\n%s", address, p.Stderr.String())
		}
		res := p.wait(t).Exits(t, 1)
		if !strings.HasPrefix(res.Stderr, "slipway: SLIPWAY_ENGINE="+address+": no BuildKit answers there: ") ||
			!strings.HasSuffix(res.Stderr, ". Check the address, or unset it to use an engine on this machine\n") {
			t.Errorf("%s: it says:\n%s", address, res.Stderr)
		}
	}
}

// A BuildKit that others run has mirrors of its own, or none: it gets the images of ours.
func TestABuildKitAtAnAddressTakesBaseImagesFromTheMirror(t *testing.T) {
	s := serve(t)
	mirror := baseimage.Mirror(t, "alpine:3.20")
	r := packed(t, map[string]string{"Dockerfile": "FROM alpine:3.20\nRUN echo made >/made\n"})
	in(r.Dir, "SLIPWAY_ENGINE="+s.Addr, "REGISTRY_MIRROR="+mirror.Host).slipway(t, "build:service", "box").Exits(t, 0)
	run := readRecordOn(t, r, "BuildKit at "+s.Addr)
	if got := run.Services[0].Bases["alpine:3.20"]; !strings.HasPrefix(got, "sha256:") {
		t.Errorf("the run's record names the base image's digest as %q", got)
	}
}
