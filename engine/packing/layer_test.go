package packing

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
)

// layerTar is a layer as BuildKit exports it at some time.
func layerTar(t *testing.T, at time.Time) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "srv/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "srv/app", Mode: 0o4755, Uid: 1000, Gid: 1001, Size: 3, PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"}},
		{Typeflag: tar.TypeSymlink, Name: "srv/link", Linkname: strings.Repeat("long/", 30), Mode: 0o777},
		{Typeflag: tar.TypeReg, Name: "srv/.wh.gone"},
	} {
		h.ModTime, h.AccessTime, h.ChangeTime, h.Format = at, at, at, tar.FormatPAX
		must(t, w.WriteHeader(h))
		if h.Size > 0 {
			_, err := w.Write([]byte("abc"))
			must(t, err)
		}
	}
	must(t, w.Close())
	return out.Bytes()
}

func TestALayerIsTheSameWheneverItWasMade(t *testing.T) {
	dir := t.TempDir()
	pack := func(name string, at time.Time) (packed, []byte) {
		from, to := filepath.Join(dir, name+".tar"), filepath.Join(dir, name+".tar.gz")
		must(t, os.WriteFile(from, layerTar(t, at), 0o600))
		p, err := packLayer(from, to, false)
		must(t, err)
		blob, err := os.ReadFile(to)
		must(t, err)
		return p, blob
	}
	first, blob := pack("first", created)
	second, other := pack("second", created.Add(90*time.Minute+time.Nanosecond))
	if diff := cmp.Diff(first, second, cmp.AllowUnexported(packed{})); diff != "" || !bytes.Equal(blob, other) {
		t.Errorf("made later it is another:\n%s", diff)
	}
	if first.blob.Digest != digest.FromBytes(blob) || first.blob.Size != int64(len(blob)) {
		t.Errorf("it is said to be %s of %d bytes, and is %s of %d", first.blob.Digest, first.blob.Size, digest.FromBytes(blob), len(blob))
	}
	zip, err := gzip.NewReader(bytes.NewReader(blob))
	must(t, err)
	plain, err := io.ReadAll(zip)
	must(t, err)
	if digest.FromBytes(plain) != first.diffID {
		t.Errorf("its tar is said to be %s, and is %s", first.diffID, digest.FromBytes(plain))
	}

	var got []string
	for r := tar.NewReader(bytes.NewReader(plain)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		got = append(got, fmt.Sprintf("%c %s %s %o %d:%d %q %q %x", h.Typeflag, h.ModTime.UTC().Format(time.DateOnly), h.Name, h.Mode, h.Uid, h.Gid, data, h.Linkname, h.PAXRecords["SCHILY.xattr.security.capability"]))
	}
	want := []string{
		`5 1980-01-01 srv/ 755 0:0 "" "" `,
		`0 1980-01-01 srv/app 4755 1000:1001 "abc" "" 01000002`,
		`2 1980-01-01 srv/link 777 0:0 "" "` + strings.Repeat("long/", 30) + `" `,
		`0 1980-01-01 srv/.wh.gone 0 0:0 "" "" `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("its entries (-want +got):\n%s", diff)
	}
}

func TestABrokenLayerIsAnError(t *testing.T) {
	whole := layerTar(t, created)
	if err := retime(bytes.NewReader(whole[:1100]), io.Discard); err == nil {
		t.Error("a layer that ends in the middle is taken for whole")
	}
	if err := retime(strings.NewReader(strings.Repeat("no tar", 200)), io.Discard); err == nil {
		t.Error("what is no tar is taken for one")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
