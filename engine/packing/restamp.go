package packing

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"slipway/pipeline"
)

// unstampedKey names, in a layout's index, the config that the image had before its stamp. The
// stamp cannot be undone: it moves times of the history, and which they were is lost in it.
const unstampedKey = "slipway.config.unstamped"

// Unstamped reads the config, before its stamp, of the image of that manifest's digest from a
// layout that Finish left in dir.
func Unstamped(dir, image string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(dir, v1.ImageIndexFile))
	if err != nil {
		return nil, err
	}
	var index v1.Index
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("the index of the image in %s: %w", dir, err)
	}
	for _, m := range index.Manifests {
		if m.Digest.String() != image {
			continue
		}
		d, err := digest.Parse(m.Annotations[unstampedKey])
		if err != nil {
			return nil, fmt.Errorf("the index of the image in %s does not name the config before its stamp", dir)
		}
		return os.ReadFile(filepath.Join(dir, "blobs", d.Algorithm().String(), d.Encoded()))
	}
	return nil, fmt.Errorf("the image in %s is not %s", dir, image)
}

// Unstamp undoes Stamp on a config of which nothing else is left, as well as that can be: times
// of a base image's history that the stamp moved stay moved.
func Unstamp(config []byte, b *pipeline.Build, created time.Time) ([]byte, error) {
	img, inner, labels := map[string]json.RawMessage{}, map[string]json.RawMessage{}, map[string]string{}
	var history []map[string]json.RawMessage
	if err := json.Unmarshal(config, &img); err != nil || img["config"] == nil {
		return nil, errors.New("the image config is no stamped one")
	}
	if err := json.Unmarshal(img["config"], &inner); err != nil {
		return nil, fmt.Errorf("the image config's field config: %w", err)
	}
	if raw, ok := inner["Labels"]; ok {
		if err := json.Unmarshal(raw, &labels); err != nil {
			return nil, fmt.Errorf("the image config's field Labels: %w", err)
		}
	}
	if raw, ok := img["history"]; ok {
		if err := json.Unmarshal(raw, &history); err != nil {
			return nil, fmt.Errorf("the image config's field history: %w", err)
		}
	}
	for _, l := range b.Labels { // another commit's plan may not have them all
		delete(labels, l.Name)
	}
	for _, h := range history {
		var at time.Time
		if h != nil && json.Unmarshal(h["created"], &at) == nil && at.Equal(created) {
			h["created"] = mustJSON(Epoch)
		}
	}
	inner["Labels"] = mustJSON(labels)
	img["config"] = mustJSON(inner)
	if history != nil {
		img["history"] = mustJSON(history)
	}
	return json.Marshal(img)
}

// Restamp makes, of an image that was built of the same inputs, the one that Finish gives for
// the plan: another config on the same layers. manifest is that image's, unstamped its config
// before the stamp.
func Restamp(manifest, unstamped []byte, plan *pipeline.Plan) (config, raw []byte, err error) {
	var m v1.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, nil, fmt.Errorf("the image's manifest: %w", err)
	}
	var shape struct {
		RootFS v1.RootFS `json:"rootfs"`
	}
	if err := json.Unmarshal(unstamped, &shape); err != nil {
		return nil, nil, fmt.Errorf("the image config is no JSON object: %w", err)
	}
	if len(m.Layers) == 0 || len(shape.RootFS.DiffIDs) != len(m.Layers) {
		return nil, nil, fmt.Errorf("the image config lists %d layers and the manifest %d", len(shape.RootFS.DiffIDs), len(m.Layers))
	}
	build := imageBuild(plan)
	if build == nil {
		return nil, nil, fmt.Errorf("the plan of %s makes no image", plan.Service)
	}
	if config, err = Stamp(unstamped, build, plan.Created); err != nil {
		return nil, nil, err
	}
	m.Config = v1.Descriptor{MediaType: m.Config.MediaType, Digest: digest.FromBytes(config), Size: int64(len(config))}
	if m.Annotations != nil { // a Docker daemon's pushes have none
		annotate(&m, plan)
	}
	raw, err = json.Marshal(m)
	return config, raw, err
}

// annotate sets a manifest's annotations, which are the image's labels.
func annotate(m *v1.Manifest, plan *pipeline.Plan) {
	m.Annotations = map[string]string{}
	if build := imageBuild(plan); build != nil {
		for _, label := range build.Labels {
			m.Annotations[label.Name] = label.Value
		}
	}
}

// imageBuild is the step that makes the plan's image, nil where none does.
func imageBuild(plan *pipeline.Plan) *pipeline.Build {
	for i := range plan.Steps {
		if b := plan.Steps[i].Build; b != nil && !b.Check {
			return b
		}
	}
	return nil
}
