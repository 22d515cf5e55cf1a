package release

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/secret"
)

const canary = "c4n4ry-v4lue"

// record is one of a stack with a service, a config, a secret and a network.
func record(number int) Record {
	spec := swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "shop_dev_web"}}
	spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{Image: "web:1@sha256:1111", Env: []string{"A=1"}}
	return Record{
		Number: number, Stack: "shop_dev", Project: "shop", Env: "dev", Commit: "4605cc6e", Branch: "main", Who: "anna@desk",
		Started: time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC), Previous: 1, Changes: []string{"update service shop_dev_web"},
		Want: &convert.Stack{
			Name: "shop_dev", Services: []convert.Service{{Key: "web", Spec: spec, DependsOn: []string{"db"}}},
			Configs:  []swarm.ConfigSpec{{Annotations: swarm.Annotations{Name: "shop_dev_app_1"}, Data: []byte(canary)}},
			Secrets:  []convert.Secret{{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "shop_dev_key_1"}}, Value: secret.New(canary)}},
			Networks: []network.CreateRequest{{Name: "shop_dev_default", Driver: "overlay"}},
		},
	}
}

func pack(t *testing.T, r Record) []byte {
	t.Helper()
	data, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func gzipped(text string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return out.Bytes()
}

func unzipped(t *testing.T, data []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What comes back is all but the values of secrets and the contents of configs, which are in
// the bytes in no form.
func TestARecordComesBackAsItWas(t *testing.T) {
	r := record(2)
	data := pack(t, r)
	got, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if string(r.Want.Configs[0].Data) != canary || r.Want.Secrets[0].Value.Reveal() != canary {
		t.Error("packing a record has changed it")
	}
	want := record(2)
	want.Want.Configs[0].Data = nil
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if d := gocmp.Diff(string(a), string(b)); d != "" {
		t.Errorf("(- was, + is):\n%s", d)
	}
	if !got.Want.Secrets[0].Value.Empty() || got.Want.Configs[0].Data != nil {
		t.Error("a secret's value or a config's content came back")
	}
	if text := unzipped(t, data); strings.Contains(text, canary) || strings.Contains(text, "YzRuNHJ5") { // base64 of it
		t.Errorf("a secret's value or a config's content is in the record:\n%s", text)
	}
	if !bytes.Equal(data, pack(t, record(2))) {
		t.Error("one record gives different bytes")
	}
}

func TestARecordThatCannotBeRead(t *testing.T) {
	whole := pack(t, record(2))
	body := unzipped(t, whole)
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"nothing", nil, "it is damaged"},
		{"no gzip", []byte("hello"), "it is damaged"},
		{"cut off", whole[:len(whole)/2], "it is damaged"},
		{"no JSON", gzipped("hello"), "it is damaged"},
		{"wrong types", gzipped(`{"format":1,"record":{"number":"two"}}`), "it is damaged"},
		{"a newer format", gzipped(strings.Replace(body, `"format":1`, `"format":2`, 1)), "a newer slipway wrote it (format 2, this one reads up to 1)"},
		{"a newer format of another form", gzipped(`{"format":3,"record":["x"]}`), "a newer slipway wrote it (format 3"},
		{"no record", gzipped(`{"format":1}`), "it lacks what a record has"},
		{"no number", gzipped(`{"format":1,"record":{"want":{}}}`), "it lacks what a record has"},
		{"no stack", gzipped(`{"format":1,"record":{"number":1}}`), "it lacks what a record has"},
		{"a service without a container", gzipped(`{"format":1,"record":{"number":1,"want":{"Services":[{"Key":"web","Spec":{"Name":"a_web"}}]}}}`), "lacks a name or a container"},
		{"a bomb", gzipped(`{"format":1,"x":"` + strings.Repeat("x", maxJSON) + `"}`), "it is larger than any real one"},
	} {
		r, err := decode(c.data)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v (%+v), want %q", c.name, err, r, c.says)
		}
	}
}

func TestARecordIsBounded(t *testing.T) {
	r := record(2)
	r.Want.Services[0].Spec.Labels = map[string]string{"long": strings.Repeat("the same again ", 200_000)} // 3 MB that pack well
	if data := pack(t, r); len(data) > 32<<10 {
		t.Errorf("it is not compressed: %d bytes", len(data))
	}
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	r.Want.Services[0].Spec.Labels["long"] = string(noise)
	if _, err := encode(r); err == nil || !strings.Contains(err.Error(), "at most 900 fit in a Swarm config") {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{"format":1,"record":{"number":1,"want":{"Services":[{"Key":"a","Spec":{"Name":"b","TaskTemplate":{"ContainerSpec":{}}}}]}}}`, `{"format":9}`, `[]`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := decode(gzipped(text))
		_, _ = decode([]byte(text))
		if err != nil {
			return
		}
		again, err := encode(*r)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := decode(again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
