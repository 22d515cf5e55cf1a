package toolchain

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, file string, change func([]byte) []byte) {
	t.Helper()
	old, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, change(old), 0o644))
}

func flip(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

func layoutOf(i *Image) layout { return layout{i.Dir} }

// largest is the blob with Go in it.
func largest(t *testing.T, i *Image) (name string) {
	t.Helper()
	entries, err := os.ReadDir(layoutOf(i).blobs())
	must(t, err)
	var size int64
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		if info.Size() > size {
			name, size = filepath.Join(layoutOf(i).blobs(), e.Name()), info.Size()
		}
	}
	return name
}

func descriptor(info content.Info) v1.Descriptor {
	return v1.Descriptor{Digest: info.Digest, Size: info.Size}
}
