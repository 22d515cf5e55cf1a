package dagger

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// What the engine says of a layer, and when it made it, is in no image.
func TestTheEnginesHistoryIsLeftOut(t *testing.T) {
	got, err := plainHistory([]byte(`{"os":"linux","history":[
		{"created":"2026-01-02T03:04:05Z","created_by":"pulled from docker.io/library/alpine:3.20@sha256:abc","comment":"buildkit.exporter.image.v0"},
		{"created":"2026-11-25T10:17:48Z","created_by":"dagop.fs x","empty_layer":true}]}`))
	want := `{"history":[{"created":"1980-01-01T00:00:00Z","created_by":"dagger"},{"created":"1980-01-01T00:00:00Z","created_by":"dagger","empty_layer":true}],"os":"linux"}`
	if err != nil || string(got) != want {
		t.Errorf("%s (%v), want\n%s", got, err, want)
	}
}

func TestPulledLayersAreToldFromOwn(t *testing.T) {
	history := []v1.History{{CreatedBy: "pulled from docker.io/library/alpine:3.20"}, {CreatedBy: "created by buildkit"}}
	if got := []bool{pulled(history, 0), pulled(history, 1), pulled(history, 2)}; !slices.Equal(got, []bool{true, false, false}) {
		t.Error(got)
	}
}

// An archive is made once, and anew when its layout is.
func TestALayoutsArchive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	must(t, os.MkdirAll(filepath.Join(dir, "blobs/sha256"), 0o750))
	must(t, os.WriteFile(filepath.Join(dir, "blobs/sha256/abc"), []byte("layer"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "index.json"), []byte("one"), 0o600))
	to := dir + ".tar"
	must(t, archive(dir, to))
	if got := entries(t, to); got["blobs/sha256/abc"] != "layer" || got["index.json"] != "one" || len(got) != 2 {
		t.Errorf("it has %v", got)
	}
	must(t, os.WriteFile(filepath.Join(dir, "index.json"), []byte("two"), 0o600))
	must(t, os.Chtimes(filepath.Join(dir, "index.json"), time.Unix(0, 0), time.Unix(0, 0)))
	must(t, archive(dir, to))
	if got := entries(t, to); got["index.json"] != "one" {
		t.Errorf("it was made again: %v", got)
	}
	later := time.Now().Add(time.Hour)
	must(t, os.Chtimes(filepath.Join(dir, "index.json"), later, later))
	must(t, archive(dir, to))
	if got := entries(t, to); got["index.json"] != "two" {
		t.Errorf("it was not made anew: %v", got)
	}
}

func entries(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer func() { _ = f.Close() }()
	out := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		out[h.Name] = string(data)
	}
}
