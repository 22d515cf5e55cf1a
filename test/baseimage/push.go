package baseimage

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"slipway/progress"
	"slipway/test/cachedir"
	"slipway/test/registry"
)

// timeToBuild bounds the building of all images that one test asks for.
const timeToBuild = 20 * time.Minute

// Push puts images ("golang:1.26-bookworm", "nginx") at library/NAME:TAG of the registry
// at host, which then serves as a mirror of Docker Hub. What takes long is logged.
func Push(t testing.TB, host string, images ...string) {
	t.Helper()
	for _, image := range images {
		if err := push(t, host, image); err != nil {
			t.Fatal(err)
		}
	}
}

// Mirror starts a registry that serves images as Docker Hub does, to a daemon or builder
// that has it as its mirror. Its content is kept on disk between tests, so that only the
// first pushes anything; it refuses pushes itself.
func Mirror(t testing.TB, images ...string) *registry.Registry {
	t.Helper()
	dir, err := cachedir.Path("mirror")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeToBuild)
	defer cancel()
	unlock, err := cachedir.Lock(ctx, "mirror")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	Push(t, registry.Start(t, registry.Options{Dir: dir}).Host, images...)
	return registry.Start(t, registry.Options{Dir: dir, ReadOnly: []string{""}})
}

func push(t testing.TB, host, image string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeToBuild)
	defer cancel()
	built, err := Build(ctx, image, progress.Plain(t.Output(), time.Minute))
	if err != nil {
		return err
	}
	ref, err := name.ParseReference(host + "/library/" + strings.TrimPrefix(image, "library/"))
	if err != nil {
		return fmt.Errorf("%s is not the name of an image: %w", image, err)
	}
	began := time.Now()
	if err := remote.Write(ref, built, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("pushing the base image %s to the test's registry: %w", image, err)
	}
	if took := time.Since(began); took > time.Second {
		t.Logf("pushed %s in %s", image, took.Round(100*time.Millisecond))
	}
	return nil
}
