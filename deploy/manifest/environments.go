package manifest

import (
	"fmt"
	"io/fs"
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
	known := map[string]string{}
	var names []string
	for _, dir := range []string{Dir, "."} {
		files, err := fs.Glob(fsys, path.Join(dir, "docker-compose.*.y*ml"))
		if err != nil {
			return "", fmt.Errorf("looking for manifests in %s: %w", dir, err)
		}
		for _, f := range files {
			name := strings.TrimPrefix(path.Base(f), "docker-compose.")
			name, yaml := strings.CutSuffix(name, ".yaml")
			name, yml := strings.CutSuffix(name, ".yml")
			if known[name] == "" && (yaml || yml) {
				known[name] = f
				names = append(names, name)
			}
		}
	}
	if f := known[env]; f != "" && env != "" {
		return f, nil
	}
	slices.Sort(names)
	there := "there are " + strings.Join(names, ", ")
	if len(names) == 0 {
		there = "there is no manifest at all"
	}
	return "", fmt.Errorf("there is no environment %q: %s does not exist; %s", env, path.Join(Dir, "docker-compose."+env+".yaml"), there)
}
