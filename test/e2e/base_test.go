package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"slipway/test/registry"
)

// A base image's tag moves, and may move back: the image follows it each time, although
// nothing in the repository has changed.
func TestAMovingBaseImageIsFollowed(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	base, err := name.ParseReference(reg.Host + "/base:1")
	must(t, err)
	var bases []v1.Image
	for range 2 {
		img, err := random.Image(1000, 2)
		must(t, err)
		bases = append(bases, img)
	}
	r := sample(t, "alpha")
	r.Write("services/alpha/Dockerfile", fmt.Sprintf("FROM %s\nCOPY build/alpha /\n", base))
	r.Commit("Stand on a base", later(1))
	for _, i := range []int{0, 1, 0, 0} {
		must(t, remote.Write(base, bases[i]))
		in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
		img, _ := image(t, r, "alpha")
		want, err := bases[i].Layers()
		must(t, err)
		got, err := img.Layers()
		must(t, err)
		if len(got) != 3 {
			t.Fatalf("the image has %d layers, want the base's 2 and its own", len(got))
		}
		for n := range want {
			wantID, err := want[n].DiffID()
			must(t, err)
			gotID, err := got[n].DiffID()
			must(t, err)
			if gotID != wantID {
				t.Errorf("layer %d is %s, and the base's is %s", n, gotID, wantID)
			}
		}
		if d := readRecord(t, r).Services[0].Bases[base.String()]; d != digest(t, bases[i]) {
			t.Errorf("build/run.json says that the base was %q, and it was %s", d, digest(t, bases[i]))
		}
	}
}
