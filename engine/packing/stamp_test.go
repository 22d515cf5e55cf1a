package packing

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/pipeline"
)

var created = time.Date(2024, 7, 25, 14, 0, 0, 0, time.FixedZone("CEST", 2*60*60))

var stamped = &pipeline.Build{
	Env:    []pipeline.Var{{Name: "VERSION", Value: "20240725_4605cc6e"}},
	Labels: []pipeline.Var{{Name: "org.opencontainers.image.version", Value: "20240725_4605cc6e"}},
}

func TestStampAddsTheVersionAndKeepsTheRest(t *testing.T) {
	for _, test := range []struct{ name, config, want string }{
		{"nothing there", `{}`,
			`{"config":{"Env":["VERSION=20240725_4605cc6e"],"Labels":{"org.opencontainers.image.version":"20240725_4605cc6e"}},"created":"2024-07-25T12:00:00Z"}`},
		{"nulls", `{"config":{"Env":null,"Labels":null},"history":null}`,
			`{"config":{"Env":["VERSION=20240725_4605cc6e"],"Labels":{"org.opencontainers.image.version":"20240725_4605cc6e"}},"created":"2024-07-25T12:00:00Z","history":null}`},
		{"replaced in place", `{"config":{"Env":["PATH=/bin","VERSION=old","VERSION2=kept"],"Labels":{"org.opencontainers.image.version":"old","own":"kept"}}}`,
			`{"config":{"Env":["PATH=/bin","VERSION=20240725_4605cc6e","VERSION2=kept"],"Labels":{"org.opencontainers.image.version":"20240725_4605cc6e","own":"kept"}},"created":"2024-07-25T12:00:00Z"}`},
		{"unknown fields", `{"future":{"b":[1,2.50,null],"a":1e3},"config":{"Healthcheck":{"Interval":12345678901234567},"New":"<&>"}}`,
			`{"config":{"Env":["VERSION=20240725_4605cc6e"],"Healthcheck":{"Interval":12345678901234567},"Labels":{"org.opencontainers.image.version":"20240725_4605cc6e"},"New":"\u003c\u0026\u003e"},"created":"2024-07-25T12:00:00Z","future":{"b":[1,2.50,null],"a":1e3}}`},
		{"history", `{"history":[{"created":"2020-01-01T00:00:00Z","created_by":"base"},{"created":"1980-01-01T00:00:00Z"},{"created":"2030-01-01T00:00:00Z"},{"comment":"none"}]}`,
			`{"config":{"Env":["VERSION=20240725_4605cc6e"],"Labels":{"org.opencontainers.image.version":"20240725_4605cc6e"}},"created":"2024-07-25T12:00:00Z","history":[{"created":"2020-01-01T00:00:00Z","created_by":"base"},{"created":"2024-07-25T12:00:00Z"},{"created":"2024-07-25T12:00:00Z"},{"comment":"none","created":"2024-07-25T12:00:00Z"}]}`},
	} {
		once, err := Stamp([]byte(test.config), stamped, created)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, string(once)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if twice, err := Stamp(once, stamped, created); err != nil || string(twice) != string(once) {
			t.Errorf("%s: stamping twice gives (%v)\n%s\nand once\n%s", test.name, err, twice, once)
		}
	}
}

func TestStampOfWhatIsNoConfig(t *testing.T) {
	for config, want := range map[string]string{
		`null`:                        "the image config is no JSON object: it is null",
		`[]`:                          "the image config is no JSON object: json: cannot unmarshal array into Go value of type map[string]json.RawMessage",
		`{"config":3}`:                "the image config's field config: json: cannot unmarshal number into Go value of type map[string]json.RawMessage",
		`{"config":{"Env":"A=b"}}`:    "the image config's field Env: json: cannot unmarshal string into Go value of type []string",
		`{"config":{"Labels":["a"]}}`: "the image config's field Labels: json: cannot unmarshal array into Go value of type map[string]string",
		`{"history":{}}`:              "the image config's field history: json: cannot unmarshal object into Go value of type []map[string]json.RawMessage",
	} {
		if _, err := Stamp([]byte(config), stamped, created); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", config, err, want)
		}
	}
}

// Whatever a config holds, stamping it does not panic, and once is enough.
func FuzzStamp(f *testing.F) {
	f.Add([]byte(`{"config":{"Env":["A=b"]},"history":[{"created":"2020-01-01T00:00:00Z"},null]}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"config":null}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		once, err := Stamp(config, stamped, created)
		if err != nil {
			return
		}
		if !json.Valid(once) {
			t.Fatalf("no JSON: %s", once)
		}
		if twice, err := Stamp(once, stamped, created); err != nil || string(twice) != string(once) {
			t.Fatalf("stamping twice gives (%v)\n%s\nand once\n%s", err, twice, once)
		}
	})
}
