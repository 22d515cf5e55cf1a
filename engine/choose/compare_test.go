package choose

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"slipway/test/dockerd"
)

// layoutImage is the only image of an OCI layout.
func layoutImage(t *testing.T, dir string) v1.Image {
	t.Helper()
	index, err := layout.ImageIndexFromPath(dir)
	must(t, err)
	manifest, err := index.IndexManifest()
	must(t, err)
	if len(manifest.Manifests) != 1 {
		t.Fatalf("%s has %d images", dir, len(manifest.Manifests))
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	must(t, err)
	return image
}

// dockerImage is an image of Docker's store, which must have that ID.
func dockerImage(t *testing.T, d *dockerd.Daemon, ref, id string) v1.Image {
	t.Helper()
	saved, err := d.Client.ImageSave(t.Context(), []string{ref})
	must(t, err)
	defer func() { _ = saved.Close() }()
	file := filepath.Join(t.TempDir(), "image.tar")
	out, err := os.Create(file)
	must(t, err)
	_, err = io.Copy(out, saved)
	must(t, err)
	must(t, out.Close())
	image, err := tarball.ImageFromPath(file, nil)
	must(t, err)
	if got, err := image.ConfigName(); err != nil || got.String() != id {
		t.Errorf("the build names the image %s, and Docker %s (%v)", id, got, err)
	}
	return image
}

// files lists an image's file tree: path, mode, owner, and link or content. Times are left
// out: Docker 20.10 sets those of files that a RUN makes, and of directories that a COPY
// makes on its way, by its clock and cannot rewrite them.
func files(t *testing.T, image v1.Image) []string {
	t.Helper()
	all := mutate.Extract(image)
	defer func() { _ = all.Close() }()
	var list []string
	for r := tar.NewReader(all); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(list)
			return list
		}
		must(t, err)
		hash := sha256.New()
		_, err = io.Copy(hash, r)
		must(t, err)
		what := fmt.Sprintf("%x", hash.Sum(nil)[:8])
		switch h.Typeflag {
		case tar.TypeSymlink, tar.TypeLink:
			what = "-> " + h.Linkname
		case tar.TypeDir:
			what = "dir"
		}
		list = append(list, fmt.Sprintf("%s %s %d:%d %s", strings.Trim(h.Name, "./"), h.FileInfo().Mode(), h.Uid, h.Gid, what))
	}
}

// difference lists the lines that only one of two sorted lists has, sorted.
func difference(embedded, docker []string) (out []string) {
	for _, side := range []struct {
		name      string
		has, lack []string
	}{{"embedded", embedded, docker}, {"docker", docker, embedded}} {
		for _, line := range side.has {
			if _, found := slices.BinarySearch(side.lack, line); !found {
				out = append(out, side.name+": "+line)
			}
		}
	}
	slices.Sort(out)
	return out
}

// config is an image's config as it is compared, with its deviations named:
//   - rootfs: layers hold times, see files;
//   - history's created_by and comment, which each BuildKit words in its own way; which of
//     its entries make a layer is compared;
//   - OnBuild: null, which Docker writes for none.
func config(t *testing.T, image v1.Image) map[string]any {
	t.Helper()
	raw, err := image.RawConfigFile()
	must(t, err)
	var c map[string]any
	must(t, json.Unmarshal(raw, &c))
	delete(c, "rootfs")
	if inner, ok := c["config"].(map[string]any); ok && inner["OnBuild"] == nil {
		delete(inner, "OnBuild")
	}
	history, _ := c["history"].([]any)
	for _, entry := range history {
		delete(entry.(map[string]any), "created_by")
		delete(entry.(map[string]any), "comment")
	}
	return c
}

var (
	times   = regexp.MustCompile(`(time(stamp)?)="[^"]*"`)
	elapsed = regexp.MustCompile(`[0-9.]+s\b`)
)

// outputs are the files below build/ by name, the image aside, without the times that
// reports hold.
func outputs(t *testing.T, build, service string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(build, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(build, path)
		switch {
		case d.IsDir() && (strings.HasSuffix(name, ".oci") || name == ".slipway"): // the latter is the engine's own note
			return fs.SkipDir
		case err != nil || d.IsDir():
			return err
		}
		data, err := os.ReadFile(path)
		info, ierr := d.Info()
		must(t, ierr)
		text := elapsed.ReplaceAllString(times.ReplaceAllString(string(data), `$1=""`), "0s")
		if name == service {
			text = fmt.Sprintf("%x", sha256.Sum256(data))
		}
		out[name] = info.Mode().String() + "\n" + text
		return err
	}))
	return out
}
