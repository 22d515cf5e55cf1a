package baseimage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"slipway/engine/toolchain"
	"slipway/progress"
	"slipway/test/cachedir"
)

// Build gives the stand-in for an image ("postgres:16.3-alpine"), made where the cache has
// none of the recipe's content yet. It is safe to call from several processes.
func Build(ctx context.Context, image string, report progress.Reporter) (v1.Image, error) {
	r, err := find(image)
	if err != nil {
		return nil, err
	}
	suite, err := suite()
	if err != nil {
		return nil, err
	}
	hash, err := r.hash(suite)
	if err != nil {
		return nil, fmt.Errorf("hashing the recipe of %s: %w", image, err)
	}
	cache, err := cachedir.Path("baseimage")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, r.Name+"-"+hash)
	if built, err := open(dir); !errors.Is(err, os.ErrNotExist) {
		return built, err
	}
	unlock, err := cachedir.Lock(ctx, "baseimage-"+r.Name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if built, err := open(dir); !errors.Is(err, os.ErrNotExist) {
		return built, err // another process was first
	}
	task := report.Start("making the test base image " + r.Name)
	err = build(ctx, r, suite, cache, dir, report)
	task.Done(err)
	if err != nil {
		return nil, err
	}
	return open(dir)
}

// open gives the only image of an OCI layout.
func open(dir string) (v1.Image, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	path, err := layout.FromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the image in %s: %w; remove the directory to have it made again", dir, err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%s holds %d images, not one; remove the directory to have it made again", dir, len(manifest.Manifests))
	}
	return index.Image(manifest.Manifests[0].Digest)
}

// build makes the image beside its place and moves it there when it is whole.
func build(ctx context.Context, r recipe, suite, cache, dir string, report progress.Reporter) error {
	// The lock of this name is held: what is there was left by a process that was killed.
	left, err := filepath.Glob(filepath.Join(cache, "making-"+r.Name+"-*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	work, err := os.MkdirTemp(cache, "making-"+r.Name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	tree := filepath.Join(work, "tree.tar")
	if len(r.Packages) == 0 {
		err = busyboxTree(ctx, r, filepath.Join(cache, "packages"), tree, report)
	} else {
		err = debianTree(ctx, r, suite, tree)
	}
	if err != nil {
		return err
	}
	first, err := layerFromTar(tree)
	if err != nil {
		return err
	}
	layers := []v1.Layer{first}
	if r.GoSDK != "" {
		sdk, err := goLayer(ctx, r.GoSDK, cache, report)
		if err != nil {
			return err
		}
		layers = append(layers, sdk)
	}
	if r.Node != "" {
		node, err := nodeLayer(ctx, r.Node, r.NPM, work)
		if err != nil {
			return err
		}
		layers = append(layers, node)
	}
	image, err := assemble(r, layers)
	if err != nil {
		return err
	}
	out := filepath.Join(work, "layout")
	path, err := layout.Write(out, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendImage(image); err != nil {
		return fmt.Errorf("writing the base image %s: %w", r.Name, err)
	}
	return os.Rename(out, dir)
}

// goLayer gives /usr/local/go as the engine's own toolchain image has it, its last layer.
func goLayer(ctx context.Context, version, cache string, report progress.Reporter) (v1.Layer, error) {
	prepared, err := toolchain.Prepare(ctx, toolchain.Options{Go: version, CacheDir: filepath.Join(cache, "toolchain"), Report: report})
	if err != nil {
		return nil, err
	}
	image, err := open(prepared.Dir)
	if err != nil {
		return nil, err
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	return layers[len(layers)-1], nil
}

func assemble(r recipe, layers []v1.Layer) (v1.Image, error) {
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config = "linux", runtime.GOARCH, r.Config
	return mutate.ConfigFile(image, config)
}
