package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"slipway/registry"
	"slipway/reuse"
	"slipway/secret"
)

// Any job of a merge request may push. Whatever it puts in an entry's place, the service is
// built, and why is said.
func TestPoisonedEntries(t *testing.T) {
	s := newShop(t, "alpha", "beta")
	s.job(s.key).slipway(t, "image:push", "alpha,beta").Exits(t, 0)
	tag, other := s.entry(t, "alpha"), s.entry(t, "beta")
	image := s.reg.Host + "/group/alpha"
	keys, err := registry.LoadKeys(t.TempDir(), nil)
	must(t, err)
	c := registry.NewClient(keys)
	good, err := c.Entry(t.Context(), image, tag)
	must(t, err)
	foreign, err := c.Entry(t.Context(), s.reg.Host+"/group/beta", other)
	must(t, err)
	trusted, err := reuse.ParsePublic(strings.TrimPrefix(s.trusted, "SLIPWAY_TRUSTED_KEYS="))
	must(t, err)
	entry, _, err := reuse.Open(t.Context(), good, trusted)
	must(t, err)
	mine, err := reuse.ParsePrivate(secret.New(strings.TrimPrefix(s.key, "SLIPWAY_SIGNING_KEY=")))
	must(t, err)
	strangers, _, err := reuse.Generate()
	must(t, err)
	stranger, err := reuse.ParsePrivate(strangers)
	must(t, err)
	sealed := func(by *reuse.PrivateKey, change func(*reuse.Entry)) []byte {
		e := *entry
		change(&e)
		out, err := e.Seal(t.Context(), by)
		must(t, err)
		return out
	}
	same := func(*reuse.Entry) {}
	evil, err := random.Image(100, 3)
	must(t, err)
	must(t, remote.Write(tagOf(t, image, "evil"), evil))
	named := strings.Replace(string(decoded(t, good)), strings.TrimPrefix(entry.Digest, "sha256:"), strings.TrimPrefix(digest(t, evil), "sha256:"), 1)

	want := s.job(s.trusted).slipway(t, "image:push", "alpha").Exits(t, 0) // nothing is wrong yet
	if strings.Contains(want.Stderr, "ignored") || !strings.Contains(want.Stderr, "nothing is run") {
		t.Fatalf("the entry as it was signed does not count:\n%s", want.Stderr)
	}
	for _, attack := range []struct {
		name     string
		envelope []byte
		says     string
	}{
		{"unsigned", []byte(fmt.Sprintf(`{"payloadType":"application/vnd.in-toto+json","payload":%q,"signatures":[]}`, payload(t, good))), "it is not signed"},
		{"signed by a stranger", sealed(stranger, same), "it is signed by no key that is trusted here"},
		{"another digest under the old signature", withPayload(t, good, []byte(named)), "does not match what it says"},
		{"truncated", good[:len(good)/2], "it is damaged"},
		{"of another service", foreign, `it is about the service "beta"`},
		{"of other inputs", sealed(mine, func(e *reuse.Entry) { e.Inputs = "inputs-" + strings.Repeat("0", 64) }), "it is about other inputs"},
		{"of another plan", sealed(mine, func(e *reuse.Entry) { e.Plan++ }), "it was made by plans of version"},
		{"of another platform", sealed(mine, func(e *reuse.Entry) { e.Platform = "linux/s390x" }), `it is about the platform "linux/s390x"`},
		{"without tests", sealed(mine, func(e *reuse.Entry) { e.Checks = []string{"build", "lint"} }), "it does not say that test passed"},
		{"no layers of that config", sealed(mine, func(e *reuse.Entry) { e.Digest = digest(t, evil) }), "the image config lists 2 layers and the manifest 3"},
		{"an image that is gone", sealed(mine, func(e *reuse.Entry) { e.Digest = "sha256:" + strings.Repeat("0", 64) }), "is not in the registry any more"},
		{"too large", bytes.Repeat([]byte("x"), reuse.MaxEnvelope+1), "it is larger than 1024 KiB"},
	} {
		t.Run(attack.name, func(t *testing.T) {
			must(t, c.WriteEntry(t.Context(), image, tag, attack.envelope))
			builtAnew(t, s, want, attack.says)
		})
	}
	t.Run("an image in its place", func(t *testing.T) {
		must(t, remote.Write(tagOf(t, image, tag), evil))
		builtAnew(t, s, want, "is ignored: it is of another kind")
	})
}

// builtAnew pushes alpha and wants the result of an honest build, and a reason for it.
func builtAnew(t *testing.T, s *shop, want result, says string) {
	t.Helper()
	got := s.job(s.trusted).slipway(t, "image:push", "alpha").Exits(t, 0)
	if got.Stdout != want.Stdout || !strings.Contains(got.Stderr, says) {
		t.Errorf("stdout is\n%s, want\n%s, and stderr, which is to say %q, is\n%s", got.Stdout, want.Stdout, says, got.Stderr)
	}
	for step, state := range readRecord(t, s.Repo).states(t, "alpha") {
		if state == "reused" {
			t.Errorf("%s was reused", step)
		}
	}
}

func tagOf(t testing.TB, image, tag string) name.Tag {
	t.Helper()
	ref, err := name.NewTag(image + ":" + tag)
	must(t, err)
	return ref
}

// payload is an envelope's, in base64.
func payload(t testing.TB, envelope []byte) string {
	t.Helper()
	var e struct{ Payload string }
	must(t, json.Unmarshal(envelope, &e))
	return e.Payload
}

func decoded(t testing.TB, envelope []byte) []byte {
	t.Helper()
	var e struct{ Payload []byte }
	must(t, json.Unmarshal(envelope, &e))
	return e.Payload
}

func withPayload(t testing.TB, envelope, body []byte) []byte {
	t.Helper()
	m := map[string]any{}
	must(t, json.Unmarshal(envelope, &m))
	m["payload"] = body
	out, err := json.Marshal(m)
	must(t, err)
	return out
}
