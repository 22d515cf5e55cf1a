package packing

import (
	"encoding/json"
	"testing"
	"time"

	"slipway/pipeline"
)

func planAt(tag string, at time.Time, labels ...pipeline.Var) *pipeline.Plan {
	b := &pipeline.Build{Env: []pipeline.Var{{Name: "VERSION", Value: tag}}, Labels: append([]pipeline.Var{{Name: "version", Value: tag}}, labels...)}
	return &pipeline.Plan{Service: "ping", Tag: tag, Created: at, Steps: []pipeline.Step{{ID: "ping/image", Build: b}}}
}

const (
	unstampedConfig = `{"config":{"Env":["PATH=/bin"]},"history":[{"created":"2024-07-25T12:00:00Z","created_by":"base"},{"created":"2024-08-01T00:00:00Z","created_by":"a newer base"},{"created":"1980-01-01T00:00:00Z","created_by":"COPY"}],"rootfs":{"type":"layers","diff_ids":["sha256:aa","sha256:bb"]}}`
	manifestOfTwo   = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:00","size":1},"layers":[{"mediaType":"l","digest":"sha256:a","size":1},{"mediaType":"l","digest":"sha256:b","size":2}],"annotations":{"version":"20240725_aaaaaaaa"}}`
)

// What is made of one commit's image for another commit is what stamping that one afresh gives,
// also where a base image is younger than the first commit, or as old as it.
func TestRestampIsWhatABuildGives(t *testing.T) {
	first := planAt("20240725_aaaaaaaa", time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC), pipeline.Var{Name: "source", Value: "https://git.example.com/a"})
	second := planAt("20240901_bbbbbbbb", time.Date(2024, 9, 1, 12, 0, 0, 0, time.UTC))
	if _, err := Stamp([]byte(unstampedConfig), first.Steps[0].Build, first.Created); err != nil {
		t.Fatal(err)
	}
	config, raw, err := Restamp([]byte(manifestOfTwo), []byte(unstampedConfig), second)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Stamp([]byte(unstampedConfig), second.Steps[0].Build, second.Created)
	if err != nil || string(config) != string(want) {
		t.Errorf("%v: the config is\n%s, want\n%s", err, config, want)
	}
	var m struct {
		Annotations map[string]string
		Config      struct{ Size int }
		Layers      []any
	}
	if err := json.Unmarshal(raw, &m); err != nil || len(m.Annotations) != 1 || m.Annotations["version"] != second.Tag || m.Config.Size != len(config) || len(m.Layers) != 2 {
		t.Errorf("%v: the manifest is %s", err, raw)
	}
}

func TestUnstampUndoesAStamp(t *testing.T) {
	const own = `{"config":{"Env":["PATH=/bin"],"Labels":{"kept":"yes"}},"history":[{"created":"2020-01-01T00:00:00Z"},{"created":"1980-01-01T00:00:00Z"}],"rootfs":{}}`
	first := planAt("20240725_aaaaaaaa", time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC), pipeline.Var{Name: "source", Value: "https://git.example.com/a"})
	second := planAt("20240901_bbbbbbbb", time.Date(2024, 9, 1, 12, 0, 0, 0, time.UTC))
	stamped, err := Stamp([]byte(own), first.Steps[0].Build, first.Created)
	if err != nil {
		t.Fatal(err)
	}
	undone, err := Unstamp(stamped, first.Steps[0].Build, first.Created)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Stamp(undone, second.Steps[0].Build, second.Created)
	want, werr := Stamp([]byte(own), second.Steps[0].Build, second.Created)
	if err != nil || werr != nil || string(got) != string(want) {
		t.Errorf("%v %v: the config is\n%s, want\n%s", err, werr, got, want)
	}
}

func TestRestampRefusesWhatDoesNotBelongTogether(t *testing.T) {
	p := planAt("20240901_bbbbbbbb", time.Date(2024, 9, 1, 12, 0, 0, 0, time.UTC))
	for name, pair := range map[string][2]string{
		"no manifest":      {`[`, unstampedConfig},
		"no config":        {manifestOfTwo, `null[`},
		"an empty config":  {manifestOfTwo, `{}`},
		"no layers at all": {`{"schemaVersion":2}`, `{}`},
	} {
		if config, raw, err := Restamp([]byte(pair[0]), []byte(pair[1]), p); err == nil {
			t.Errorf("%s: made %s and %s", name, config, raw)
		}
	}
}
