package packing

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"slipway/pipeline"
)

// Stamp puts what a plan says of an image into its config (OCI image-spec, config.md): the
// environment, the labels and the time. Layers are not touched, so one content under
// another tag is another config on the same layers. Fields that it does not know stay as
// they are. Stamping twice is stamping once.
func Stamp(config []byte, b *pipeline.Build, created time.Time) ([]byte, error) {
	img := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &img); err != nil {
		return nil, fmt.Errorf("the image config is no JSON object: %w", err)
	}
	if img == nil {
		return nil, errors.New("the image config is no JSON object: it is null")
	}
	inner := map[string]json.RawMessage{}
	if raw, ok := img["config"]; ok && string(raw) != "null" {
		if err := json.Unmarshal(raw, &inner); err != nil {
			return nil, fmt.Errorf("the image config's field config: %w", err)
		}
	}
	var env []string
	labels := map[string]string{}
	var history []map[string]json.RawMessage
	for field, into := range map[string]any{"Env": &env, "Labels": &labels} {
		if raw, ok := inner[field]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return nil, fmt.Errorf("the image config's field %s: %w", field, err)
			}
		}
	}
	if raw, ok := img["history"]; ok {
		if err := json.Unmarshal(raw, &history); err != nil {
			return nil, fmt.Errorf("the image config's field history: %w", err)
		}
	}
	for _, v := range b.Env {
		env = setEnv(env, v)
	}
	if labels == nil {
		labels = map[string]string{}
	}
	for _, l := range b.Labels {
		labels[l.Name] = l.Value
	}
	stampHistory(history, created)
	// encoding/json sorts keys: equal content is equal bytes.
	inner["Env"], inner["Labels"] = mustJSON(env), mustJSON(labels)
	img["config"], img["created"] = mustJSON(inner), mustJSON(created.UTC())
	if history != nil {
		img["history"] = mustJSON(history)
	}
	return json.Marshal(img)
}

// stampHistory sets the times of this build's own entries, which are the engine's clock
// or Epoch, to created. A base image's are older and stay.
func stampHistory(history []map[string]json.RawMessage, created time.Time) {
	for _, h := range history {
		if h == nil {
			continue // null: not for us to mend
		}
		var at time.Time
		if err := json.Unmarshal(h["created"], &at); err != nil || at.After(created) || at.Equal(Epoch) {
			h["created"] = mustJSON(created.UTC())
		}
	}
}

func setEnv(env []string, v pipeline.Var) []string {
	for i, e := range env {
		if strings.HasPrefix(e, v.Name+"=") {
			env[i] = v.Name + "=" + v.Value
			return env
		}
	}
	return append(env, v.Name+"="+v.Value)
}

// mustJSON marshals what cannot fail: strings, maps of strings, times, raw JSON.
func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
