package dagger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// argsAlone are the names that a Dockerfile declares by ARG and never by ENV. Dagger leaves
// them in the environment of the image that it builds, where they do not belong.
func argsAlone(dockerfile []byte) []string {
	parsed, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil // it was built, so this does not happen
	}
	var args, envs []string
	for _, n := range parsed.AST.Children {
		switch strings.ToLower(n.Value) {
		case "arg":
			for a := n.Next; a != nil; a = a.Next {
				name, _, _ := strings.Cut(a.Value, "=")
				args = append(args, name)
			}
		case "env": // name, value and the sign between them, in turn
			for i, e := 0, n.Next; e != nil; i, e = i+1, e.Next {
				if i%3 == 0 {
					envs = append(envs, e.Value)
				}
			}
		}
	}
	return slices.DeleteFunc(args, func(name string) bool { return slices.Contains(envs, name) })
}

// withoutArgs drops build arguments from the environment in an image's config.
func withoutArgs(config, dockerfile []byte) ([]byte, error) {
	args := argsAlone(dockerfile)
	img, inner := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	var env []string
	if err := json.Unmarshal(config, &img); err != nil {
		return nil, fmt.Errorf("the image config is no JSON object: %w", err)
	}
	if img["config"] == nil {
		return config, nil
	}
	if err := json.Unmarshal(img["config"], &inner); err != nil {
		return nil, fmt.Errorf("the image config's field config: %w", err)
	}
	if inner["Env"] == nil {
		return config, nil
	}
	if err := json.Unmarshal(inner["Env"], &env); err != nil {
		return nil, fmt.Errorf("the image config's field Env: %w", err)
	}
	env = slices.DeleteFunc(env, func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains(args, name)
	})
	var err error
	if inner["Env"], err = json.Marshal(env); err != nil {
		return nil, err
	}
	if img["config"], err = json.Marshal(inner); err != nil {
		return nil, err
	}
	return json.Marshal(img)
}
