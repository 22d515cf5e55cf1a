package e2e

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"slipway/test/gitrepo"
)

// tree lists what is below a directory, git's own files aside: mode, size, time and path
// of each file, so that two equal texts mean that nothing was touched.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var out strings.Builder
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".git":
			return filepath.SkipDir
		case p == dir:
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(&out, "%s %d %d %s\n", info.Mode(), info.Size(), info.ModTime().UnixNano(), p)
		return err
	}))
	return out.String()
}

// image reads the only image of build/SERVICE.oci and checks all its digests and sizes.
func image(t testing.TB, r *gitrepo.Repo, service string) (v1.Image, *v1.ConfigFile) {
	t.Helper()
	index, err := layout.ImageIndexFromPath(file(r, "build/"+service+".oci"))
	must(t, err)
	must(t, validate.Index(index))
	manifest, err := index.IndexManifest()
	must(t, err)
	if len(manifest.Manifests) != 1 {
		t.Fatalf("build/%s.oci has %d images, want 1", service, len(manifest.Manifests))
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	must(t, err)
	config, err := img.ConfigFile()
	must(t, err)
	return img, config
}

// digest is that of an image's manifest.
func digest(t testing.TB, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	must(t, err)
	return d.String()
}

// layers are the digests of an image's layers, one a line.
func layers(t testing.TB, img v1.Image) string {
	t.Helper()
	all, err := img.Layers()
	must(t, err)
	var out strings.Builder
	for _, l := range all {
		d, err := l.Digest()
		must(t, err)
		fmt.Fprintln(&out, d)
	}
	return out.String()
}

// contents lists an image's root filesystem: mode, owner, time and path of each entry.
func contents(t testing.TB, img v1.Image) string {
	t.Helper()
	root := mutate.Extract(img)
	defer func() { _ = root.Close() }()
	var out strings.Builder
	for tr := tar.NewReader(root); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		must(t, err)
		fmt.Fprintf(&out, "%s %d:%d %s %s\n", h.FileInfo().Mode(), h.Uid, h.Gid, h.ModTime.UTC().Format(time.DateOnly), h.Name)
	}
}
