package manifest

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Dir is where manifests are, unless they are at the repository's root.
const Dir = "manifests"

// File finds an environment's manifest: manifests/docker-compose.<env>.yaml, or the same at
// the root of a repository that holds manifests alone. The error names the environments that
// there are.
func File(fsys fs.FS, env string) (string, error) {
	known, err := Environments(fsys)
	if err != nil {
		return "", err
	}
	if f := known[env]; f != "" && env != "" {
		return f, nil
	}
	there := "there are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	if len(known) == 0 {
		there = "there is no manifest at all"
	}
	return "", fmt.Errorf("there is no environment %q: %s does not exist; %s", env, path.Join(Dir, "docker-compose."+env+".yaml"), there)
}

// Environments are those that have a manifest, with its file.
func Environments(fsys fs.FS) (map[string]string, error) {
	known := map[string]string{}
	for _, dir := range []string{Dir, "."} {
		files, err := fs.Glob(fsys, path.Join(dir, "docker-compose.*.y*ml"))
		if err != nil {
			return nil, fmt.Errorf("looking for manifests in %s: %w", dir, err)
		}
		for _, f := range files {
			name := strings.TrimPrefix(path.Base(f), "docker-compose.")
			name, yaml := strings.CutSuffix(name, ".yaml")
			name, yml := strings.CutSuffix(name, ".yml")
			if known[name] == "" && (yaml || yml) {
				known[name] = f
			}
		}
	}
	return known, nil
}
