package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"slipway/test/registry"
)

func client(t testing.TB) *Client {
	t.Helper()
	keys, err := LoadKeys(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return NewClient(keys)
}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	image, envelope := reg.Host+"/group/ping", []byte(`{"payload":"x"}`)
	if got, err := client(t).Entry(t.Context(), image, "inputs-00"); got != nil || err != nil {
		t.Fatalf("before there is one: %q, %v", got, err)
	}
	if err := client(t).WriteEntry(t.Context(), image, "inputs-00", envelope); err != nil {
		t.Fatal(err)
	}
	reg.Forget()
	got, err := client(t).Entry(t.Context(), image, "inputs-00")
	if err != nil || !bytes.Equal(got, envelope) {
		t.Fatalf("%q, %v", got, err)
	}
	if n := len(reg.Requests()); n != 2 { // /v2/ and the manifest
		t.Errorf("it took %d requests: %v", n, reg.Requests())
	}
	if err := client(t).WriteEntry(t.Context(), image, "inputs-00", []byte("another")); err != nil {
		t.Fatal(err)
	}
	if got, err := client(t).Entry(t.Context(), image, "inputs-00"); err != nil || string(got) != "another" {
		t.Errorf("replaced, it is %q, %v", got, err)
	}
}

// Anybody who may push can put these under an entry's tag.
func TestWhatIsNoEntry(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	c, image := client(t), reg.Host+"/ping"
	ref, err := name.NewTag(image + ":inputs-00")
	if err != nil {
		t.Fatal(err)
	}
	put := func(change func(*v1.Manifest)) func() error {
		return func() error {
			if err := c.WriteEntry(t.Context(), image, "inputs-00", []byte("{}")); err != nil {
				return err
			}
			got, err := remote.Get(ref)
			if err != nil {
				return err
			}
			var m v1.Manifest
			if err := json.Unmarshal(got.Manifest, &m); err != nil {
				return err
			}
			change(&m)
			raw, err := json.Marshal(m)
			if err != nil {
				return err
			}
			return remote.Put(ref, rawManifest{raw, m.MediaType})
		}
	}
	for says, write := range map[string]func() error{
		"it is of another kind (application/vnd.docker.distribution.manifest.v2+json)": func() error {
			img, err := random.Image(100, 1)
			if err != nil {
				return err
			}
			return remote.Write(ref, img)
		},
		"it is of another kind (application/vnd.oci.image.index.v1+json)": func() error {
			index, err := random.Index(100, 1, 1)
			if err != nil {
				return err
			}
			return remote.WriteIndex(ref, index)
		},
		`it is of another kind ("")`:                           put(func(m *v1.Manifest) { m.ArtifactType = "" }),
		"it holds something else than one signed envelope":     put(func(m *v1.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }),
		"it holds something else than one signed envelope ":    put(func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCILayer }),
		"it is damaged: its content is not what its digest":    put(func(m *v1.Manifest) { m.Layers[0].Data = []byte("[]") }),
		"it is damaged: its content is not what its digest sa": put(func(m *v1.Manifest) { m.Layers[0].Data = nil }),
		"it is larger than 2048 KiB": put(func(m *v1.Manifest) {
			m.Annotations = map[string]string{"a": strings.Repeat("x", maxEntry)}
		}),
	} {
		if err := write(); err != nil {
			t.Errorf("%s: %v", says, err)
			continue
		}
		got, err := c.Entry(t.Context(), image, "inputs-00")
		var bad BadEntry
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), strings.TrimSpace(says)) {
			t.Errorf("%q, %v; want %q", got, err, says)
		}
	}
}

// A manifest that does not say how long it is, and does not end.
func TestAManifestWithoutAnEnd(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/v2/" {
			return
		}
		w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
		for q.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	_, err := client(t).Entry(t.Context(), s.Listener.Addr().String()+"/ping", "inputs-00")
	var bad BadEntry
	if !errors.As(err, &bad) || err.Error() != "it is larger than 2048 KiB" {
		t.Errorf("%v", err)
	}
}

func TestARegistryThatIsNotThere(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	if got, err := client(t).Entry(t.Context(), reg.Host+"/ping", "inputs-00"); got != nil || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	reg.Down()
	_, err := client(t).Entry(t.Context(), reg.Host+"/ping", "inputs-00")
	var bad BadEntry
	if err == nil || errors.As(err, &bad) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
	if err := client(t).WriteEntry(t.Context(), reg.Host+"/ping", "inputs-00", nil); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
}

func TestDigestsComeFromMirrorsFirst(t *testing.T) {
	mirror, own := registry.Start(t, registry.Options{}), registry.Start(t, registry.Options{})
	want := map[string]string{}
	for image, at := range map[string]string{"nginx:1.27": mirror.Host + "/library/nginx:1.27", "group/app": mirror.Host + "/group/app:latest", own.Host + "/base:1": own.Host + "/base:1"} {
		img, err := random.Image(100, 1)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.ParseReference(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		want[image] = digest.String()
	}
	images := []string{"nginx:1.27", "nginx:1.27", "group/app", own.Host + "/base:1", "alpine@sha256:" + strings.Repeat("0", 64)}
	got, err := client(t).Digests(t.Context(), images, []string{"http://" + mirror.Host + "/"})
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for image, digest := range want {
		if got[image] != digest {
			t.Errorf("%s is %s, want %s", image, got[image], digest)
		}
	}
	if _, err := client(t).Digests(t.Context(), []string{own.Host + "/nothing:1"}, nil); err == nil || !strings.Contains(err.Error(), "cannot ask for "+own.Host+"/nothing:1") {
		t.Errorf("of an image that is not there: %v", err)
	}
}
