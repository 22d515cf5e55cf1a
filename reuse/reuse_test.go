package reuse

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/pipeline"
)

func pair(t testing.TB) (*PrivateKey, PublicKey) {
	t.Helper()
	private, public, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePrivate(private)
	if err != nil {
		t.Fatal(err)
	}
	all, err := ParsePublic(public)
	if err != nil || len(all) != 1 || all[0].ID != key.Public.ID {
		t.Fatalf("%s gives %v (%v), want the key %s", public, all, err, key.Public.ID)
	}
	return key, all[0]
}

func entry() *Entry {
	return &Entry{
		Service: "ping", Image: "registry.example.com/group/ping", Digest: "sha256:" + strings.Repeat("ab", 32), Inputs: "inputs-" + strings.Repeat("cd", 32),
		Tag: "20240725_4605cc6e", Commit: strings.Repeat("4605cc6e", 5), Source: "https://git.example.com/group/shop", Plan: 1, Platform: "linux/amd64", Go: "1.26.8",
		Tools: []string{"golangci-lint@v2"}, Checks: []string{"build", "lint", "test"}, Bases: map[string]string{"nginx:1.27": "sha256:" + strings.Repeat("ef", 32)},
		Config: []byte(`{"config":{}}`), Finished: time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC), Run: "https://ci.example.com/1",
	}
}

func want() Want {
	e := entry()
	return Want{Service: e.Service, Image: "mirror.example.com:5000/group/ping", Inputs: e.Inputs, Plan: e.Plan, Platform: e.Platform, Checks: e.Checks, Bases: e.Bases}
}

func seal(t testing.TB, e *Entry, key *PrivateKey) []byte {
	t.Helper()
	out, err := e.Seal(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	key, public := pair(t)
	_, other := pair(t)
	got, by, err := Open(t.Context(), seal(t, entry(), key), []PublicKey{other, public})
	if err != nil || by.ID != public.ID {
		t.Fatalf("by %s: %v", by.ID, err)
	}
	if diff := cmp.Diff(entry(), got); diff != "" {
		t.Errorf("(-sealed +opened)\n%s", diff)
	}
	if err := got.Fits(want()); err != nil {
		t.Error(err)
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	for says, change := range map[string]func(*Entry, *Want){
		`it is about the service "backend"`:                             func(e *Entry, _ *Want) { e.Service = "backend" },
		`it is about the image "registry.example.com/group/backend"`:    func(e *Entry, _ *Want) { e.Image = "registry.example.com/group/backend" },
		"it was made by plans of version 1, and these are of version 2": func(_ *Entry, w *Want) { w.Plan = 2 },
		"it is about other inputs (inputs-cdcdcdcdcdcdc…)":              func(_ *Entry, w *Want) { w.Inputs = "inputs-" + strings.Repeat("00", 32) },
		`it is about the platform "linux/arm64"`:                        func(e *Entry, _ *Want) { e.Platform = "linux/arm64" },
		"it stands on other base images":                                func(_ *Entry, w *Want) { w.Bases = map[string]string{"nginx:1.27": "sha256:00"} },
		`it names no image ("sha256:../../x")`:                          func(e *Entry, _ *Want) { e.Digest = "sha256:../../x" },
		"it lacks the image's config":                                   func(e *Entry, _ *Want) { e.Config = nil },
		"it does not say that test passed":                              func(e *Entry, _ *Want) { e.Checks = []string{"build", "lint"} },
	} {
		e, w := entry(), want()
		change(e, &w)
		if err := e.Fits(w); err == nil || err.Error() != says {
			t.Errorf("%v, want %s", err, says)
		}
	}
}

// Whoever may push can put any bytes under an entry's tag.
func TestEnvelopesThatDoNotCount(t *testing.T) {
	key, public := pair(t)
	stranger, _ := pair(t)
	good := seal(t, entry(), key)
	for name, c := range map[string]struct {
		envelope []byte
		says     string
	}{
		"empty":                  {nil, "it is damaged"},
		"truncated":              {good[:len(good)/2], "it is damaged"},
		"something behind":       {append(good[:len(good):len(good)], good...), "it is damaged"},
		"no signature":           {edited(t, good, func(m map[string]any) { m["signatures"] = []any{} }), "it is not signed"},
		"another's":              {seal(t, entry(), stranger), "it is signed by no key that is trusted here"},
		"another's by our name":  {edited(t, seal(t, entry(), stranger), func(m map[string]any) { signature(m)["keyid"] = public.ID }), "does not match what it says"},
		"another's by no name":   {edited(t, seal(t, entry(), stranger), func(m map[string]any) { signature(m)["keyid"] = "" }), "it is signed by no key that is trusted here"},
		"another payload":        {edited(t, good, func(m map[string]any) { m["payload"] = "e30=" }), "does not match what it says"},
		"a payload of no base64": {edited(t, good, func(m map[string]any) { m["payload"] = "?" }), "does not match what it says"},
		"another type":           {edited(t, good, func(m map[string]any) { m["payloadType"] = "text/plain" }), `what is signed is of another kind ("text/plain")`},
		"a crowd": {edited(t, good, func(m map[string]any) {
			for range 20 {
				m["signatures"] = append(m["signatures"].([]any), signature(m))
			}
		}), "more signatures than anybody needs"},
		"large": {fmt.Appendf(nil, `{"payload":"%s"}`, strings.Repeat("A", MaxEnvelope)), "it is larger than 1024 KiB"},
	} {
		if e, _, err := Open(t.Context(), c.envelope, []PublicKey{public}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v; want an error with %q", name, e, err, c.says)
		}
	}
	if _, _, err := Open(t.Context(), good, nil); err == nil || !strings.Contains(err.Error(), "no key that is trusted") {
		t.Errorf("with nobody to trust: %v", err)
	}
}

func edited(t testing.TB, envelope []byte, change func(map[string]any)) []byte {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal(envelope, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func signature(m map[string]any) map[string]any { return m["signatures"].([]any)[0].(map[string]any) }

func FuzzOpen(f *testing.F) {
	key, public := pair(f)
	f.Add(seal(f, entry(), key))
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"","sig":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		e, _, err := Open(t.Context(), envelope, []PublicKey{public})
		if err == nil && e.Fits(want()) != nil {
			t.Fatalf("believed: %s", envelope)
		}
	})
}

func TestStatementsOfOthers(t *testing.T) {
	for statement, says := range map[string]string{
		`[]`: "its statement cannot be read", `{}`: "its statement is about something else",
		`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":"urn:slipway:service:v1"}}}`: "its statement is about 0 images",
	} {
		if _, err := read([]byte(statement)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", statement, err, says)
		}
	}
}

func TestWithoutChecks(t *testing.T) {
	run := func(id, on string, needs ...string) pipeline.Step {
		return pipeline.Step{ID: id, Needs: needs, Run: &pipeline.Run{On: pipeline.Root{Go: on}}}
	}
	plan := &pipeline.Plan{Service: "ping", Requires: []string{"1.26.8", "1.27.0"}, Steps: []pipeline.Step{
		run("ping/build", "1.26.8"),
		{ID: "ping/export/ping", Needs: []string{"ping/build"}, Export: &pipeline.Export{Step: "ping/build"}},
		run("tool/golangci-lint", "1.27.0"),
		run("ping/lint", "1.26.8", "tool/golangci-lint"),
		{ID: "ping/export/lint.json", Needs: []string{"ping/lint"}, Export: &pipeline.Export{Step: "ping/lint"}},
		{ID: "ping/image", Needs: []string{"ping/build", "ping/lint"}, Build: &pipeline.Build{}},
	}}
	got := Without(plan, "ping/lint")
	var ids []string
	for _, s := range got.Steps {
		ids = append(ids, s.ID)
	}
	if diff := cmp.Diff([]string{"ping/build", "ping/export/ping", "ping/image"}, ids); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ping/build"}, got.Steps[2].Needs); diff != "" || len(got.Requires) != 1 {
		t.Errorf("%s%v", diff, got.Requires)
	}
	if len(plan.Steps) != 6 || len(plan.Steps[5].Needs) != 2 {
		t.Error("the plan itself was changed")
	}
	if diff := cmp.Diff([]string{"build", "lint"}, Checks(plan)); diff != "" {
		t.Error(diff)
	}
}
