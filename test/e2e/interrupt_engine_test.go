package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// stops are the ways to stop a command, with the exit code that it then has.
var stops = []struct {
	name   string
	signal syscall.Signal
	code   int
	says   string // the last line on stderr; "" of one that had no time for it
}{
	{"Ctrl-C", syscall.SIGINT, 1, "slipway: building box was interrupted: stopped by interrupt\n"},
	{"SIGTERM", syscall.SIGTERM, 1, "slipway: building box was interrupted: stopped by terminated\n"},
	{"kill -9", syscall.SIGKILL, -1, ""},
}

func TestACommandStoppedWhileAContainerRunsLeavesNone(t *testing.T) {
	env := alpine(t)
	own := strings.TrimPrefix(env[0], "SLIPWAY_CACHE=")
	for _, stop := range stops {
		t.Run(stop.name, func(t *testing.T) {
			g := newGate(t)
			r := packed(t, map[string]string{"Dockerfile": g.dockerfile(), "app.txt": "app\n"})
			p := in(r.Dir, env...).start(t, "build:service", "box")
			g.wait(t, p)
			if n := len(containers(t, own)); n != 1 {
				t.Fatalf("%d containers run, want the one", n)
			}
			engine := server(t, own)
			p.signal(t, stop.signal)
			res := p.wait(t).Exits(t, stop.code)
			if !strings.HasSuffix(res.Stderr, stop.says) {
				t.Errorf("it does not end with %q:\n%s", stop.says, res.Stderr)
			}
			eventually(t, "its container is gone", func() bool { return len(containers(t, own)) == 0 })
			g.open()
			succeeds(t, in(r.Dir, env...), "box")
			if again := server(t, own); again != engine {
				t.Errorf("the engine was replaced: %d is %d now", engine, again)
			}
		})
	}
}

// succeeds runs a build that must leave exactly a whole image and its record.
func succeeds(t *testing.T, c call, service string) {
	t.Helper()
	c.slipway(t, "build:service", service).Exits(t, 0)
	index, err := layout.ImageIndexFromPath(filepath.Join(c.dir, "build", service+".oci"))
	must(t, err)
	must(t, validate.Index(index))
	if left := leftovers(t, c.dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestACommandStoppedWhileItExportsLeavesNoHalfImage(t *testing.T) {
	env := alpine(t)
	for _, stop := range stops {
		t.Run(stop.name, func(t *testing.T) {
			r := packed(t, map[string]string{"Dockerfile": "FROM alpine:3.20\nRUN dd if=/dev/urandom of=/big bs=1M count=400\n"})
			p := in(r.Dir, env...).start(t, "build:service", "box")
			half := func() bool { // a blob is on its way
				found, err := filepath.Glob(filepath.Join(r.Dir, "build", ".slipway-*", "oci-*", "ingest", "*"))
				must(t, err)
				return len(found) > 0
			}
			eventually(t, "the export is under way", func() bool {
				select {
				case <-p.Done:
					t.Fatalf("it ended before it could be stopped:\n%s", p.Stderr.String())
				default:
				}
				return half()
			})
			p.signal(t, stop.signal)
			p.wait(t).Exits(t, stop.code)
			if _, err := os.Stat(filepath.Join(r.Dir, "build", "box.oci")); !os.IsNotExist(err) {
				t.Errorf("a half image is there (%v)", err)
			}
			if left := leftovers(t, r.Dir); (len(left) > 0) != (stop.signal == syscall.SIGKILL) {
				t.Errorf("left behind: %v", left)
			}
			succeeds(t, in(r.Dir, env...), "box")
		})
	}
}

func TestACommandStoppedWhileItCompilesLeavesAnEngineThatGoesOn(t *testing.T) {
	own := ownCache(t)
	r := sample(t, "alpha")
	c := in(r.Dir, "SLIPWAY_CACHE="+own)
	early := map[string][]byte{}
	for _, stop := range stops {
		p := c.start(t, "build:test", "alpha")
		eventually(t, "something is compiled", func() bool {
			select {
			case <-p.Done:
				t.Fatalf("it ended before it could be stopped:\n%s", p.Stderr.String())
			default:
			}
			// Its own container, not one that a stopped command is about to lose: it has said
			// that it is at work.
			return strings.Contains(p.Stderr.String(), "build alpha") && len(containers(t, own)) > 0
		})
		p.signal(t, stop.signal)
		p.wait(t).Exits(t, stop.code)
		eventually(t, stop.name+": its containers are gone", func() bool { return len(containers(t, own)) == 0 })
		// The step that makes the binary may have ended before: then the binary is whole.
		if data, err := os.ReadFile(filepath.Join(r.Dir, "build", "alpha")); !os.IsNotExist(err) {
			must(t, err)
			early[stop.name] = data
		}
	}
	c.slipway(t, "build:test", "alpha").Exits(t, 0)
	whole, err := os.ReadFile(filepath.Join(r.Dir, "build", "alpha"))
	must(t, err)
	for name, data := range early {
		if !bytes.Equal(data, whole) {
			t.Errorf("%s left a binary of %d bytes, and the whole one has %d", name, len(data), len(whole))
		}
	}
	if left := leftovers(t, r.Dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAnEngineKilledInABuildSaysSoAndTheNextRunHasANewOne(t *testing.T) {
	env := alpine(t)
	own := strings.TrimPrefix(env[0], "SLIPWAY_CACHE=")
	g := newGate(t)
	r := packed(t, map[string]string{"Dockerfile": g.dockerfile(), "app.txt": "app\n"})
	p := in(r.Dir, env...).start(t, "build:service", "box")
	g.wait(t, p)
	must(t, syscall.Kill(server(t, own), syscall.SIGKILL))
	res := p.wait(t).Exits(t, 1)
	if !strings.Contains(res.Stderr, "the connection to embedded BuildKit broke while it built box: ") || !strings.Contains(res.Stderr, "; run again") {
		t.Errorf("it says:\n%s", res.Stderr)
	}
	g.open()
	succeeds(t, in(r.Dir, env...), "box")
	eventually(t, "no container is left", func() bool { return len(containers(t, own)) == 0 })
}
