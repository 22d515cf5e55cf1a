package toolchain

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	oci "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// fakeImage assembles an image of fakeModule in a cache directory of its own.
func fakeImage(t *testing.T) *Image {
	t.Helper()
	cache := t.TempDir()
	dir := filepath.Join(cache, "image")
	base := baseEntries(file("", 0, "ELF"), []string{"bin/sh"})
	if err := assemble(t.Context(), cache, dir, "1.99.1", "amd64", zipFile(t), base, func(string, int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	image, err := open(dir, "1.99.1")
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// Another reader of the format has to agree: digests, sizes, diff IDs, media types.
func TestLayoutIsAnImage(t *testing.T) {
	image := fakeImage(t)
	index, err := oci.ImageIndexFromPath(image.Dir)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifests.Manifests) != 1 || manifests.Manifests[0].Digest.String() != image.Digest.String() {
		t.Fatalf("the index has %v, want %s", manifests.Manifests, image.Digest)
	}
	found, err := index.Image(manifests.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	// Fast leaves the layers' content out, which validate takes for gzip; TestStoreReadsEveryBlob hashes it.
	if err := validate.Image(found, validate.Fast); err != nil {
		t.Error(err)
	}
	layers, err := found.Layers()
	if err != nil || len(layers) != 2 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	for i, layer := range layers {
		content, contentErr := layer.Digest()
		diff, diffErr := layer.DiffID()
		if contentErr != nil || diffErr != nil || content != diff {
			t.Errorf("layer %d is not compressed, so its digest %s has to be its diff ID %s", i, content, diff)
		}
	}
	config, err := found.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS+"/"+config.Architecture != "linux/amd64" || config.Config.WorkingDir != "/src" ||
		!strings.Contains(strings.Join(config.Config.Env, " "), "GOTOOLCHAIN=local GOPATH=/go CGO_ENABLED=0 HOME=/root") {
		t.Errorf("config: %+v", config)
	}
}

func TestSamePartsGiveTheSameDigest(t *testing.T) {
	if one, two := fakeImage(t).Digest, fakeImage(t).Digest; one != two {
		t.Errorf("%s and %s", one, two)
	}
}

func TestStoreReadsEveryBlob(t *testing.T) {
	image := fakeImage(t)
	store := image.Store()
	blobs := 0
	err := store.Walk(t.Context(), func(info content.Info) error {
		blobs++
		r, err := store.ReaderAt(t.Context(), descriptor(info))
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		verify := info.Digest.Verifier()
		if _, err := io.Copy(verify, io.NewSectionReader(r, 0, info.Size)); err != nil {
			return err
		}
		if !verify.Verified() {
			t.Errorf("blob %s has other content", info.Digest)
		}
		return nil
	})
	if err != nil || blobs != 4 {
		t.Errorf("%d blobs, want manifest, config, two layers; %v", blobs, err)
	}
	if _, err := store.Info(t.Context(), image.Digest); err != nil {
		t.Errorf("the manifest: %v", err)
	}
}

func TestDamageIsFound(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, image *Image){
		"layer cut short":  func(t *testing.T, i *Image) { edit(t, largest(t, i), func(b []byte) []byte { return b[:len(b)/2] }) },
		"layer missing":    func(t *testing.T, i *Image) { must(t, os.Remove(largest(t, i))) },
		"manifest changed": func(t *testing.T, i *Image) { edit(t, layoutOf(i).blob(i.Digest), flip) },
		"manifest missing": func(t *testing.T, i *Image) { must(t, os.Remove(layoutOf(i).blob(i.Digest))) },
		"index empty":      func(t *testing.T, i *Image) { must(t, os.Truncate(filepath.Join(i.Dir, "index.json"), 0)) },
		"index missing":    func(t *testing.T, i *Image) { must(t, os.Remove(filepath.Join(i.Dir, "index.json"))) },
		"index of no image": func(t *testing.T, i *Image) {
			edit(t, filepath.Join(i.Dir, "index.json"), func([]byte) []byte { return []byte("{}") })
		},
		"not a layout": func(t *testing.T, i *Image) { must(t, os.Remove(filepath.Join(i.Dir, "oci-layout"))) },
	} {
		t.Run(name, func(t *testing.T) {
			image := fakeImage(t)
			damage(t, image)
			if _, err := open(image.Dir, image.Go); err == nil {
				t.Error("the image was taken for a good one")
			}
		})
	}
}

func TestCancelledAssemblyLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := assemble(ctx, cache, filepath.Join(cache, "image"), "1.99.1", "amd64", zipFile(t), nil, func(string, int64, int64) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(cache); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLeftoversOfKilledCommandsAreRemoved(t *testing.T) {
	cache := t.TempDir()
	dead := filepath.Join(cache, ".tmp-123", "blobs")
	must(t, os.MkdirAll(dead, 0o755))
	must(t, assemble(t.Context(), cache, filepath.Join(cache, "image"), "1.99.1", "amd64", zipFile(t), nil, func(string, int64, int64) {}))
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestDamagedImageIsReplaced(t *testing.T) {
	image := fakeImage(t)
	edit(t, largest(t, image), func(b []byte) []byte { return b[:9] })
	base := baseEntries(file("", 0, "ELF"), []string{"bin/sh"})
	must(t, assemble(t.Context(), filepath.Dir(image.Dir), image.Dir, "1.99.1", "amd64", zipFile(t), base, func(string, int64, int64) {}))
	again, err := open(image.Dir, image.Go)
	if err != nil || again.Digest != image.Digest {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestRootFSIsTheLayersTree(t *testing.T) {
	image := fakeImage(t)
	root, err := image.RootFS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"usr/local/go/bin/go":     "-rwxr-xr-x",
		"usr/local/go/src/go.mod": "-rw-r--r--",
		"tmp":                     "dtrwxrwxrwx",
		"root":                    "drwx------",
		"bin/sh":                  "Lrwxrwxrwx",
	} {
		info, err := os.Lstat(filepath.Join(root, path))
		if err != nil || info.Mode().String() != want {
			t.Errorf("%s: got %v, %v, want %s", path, info, err, want)
		}
	}
	again, err := image.RootFS(t.Context())
	if err != nil || again != root {
		t.Errorf("second time: %s, %v", again, err)
	}
}

func TestRootFSOfADamagedImage(t *testing.T) {
	image := fakeImage(t)
	edit(t, largest(t, image), func(b []byte) []byte { return b[:len(b)/2] })
	if _, err := image.RootFS(t.Context()); err == nil || !strings.Contains(err.Error(), "run again to have it made anew") {
		t.Errorf("got %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(image.Dir), "*.rootfs"))
	if len(left) != 0 {
		t.Errorf("half a tree is there: %v", left)
	}
}
