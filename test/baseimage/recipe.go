// Package baseimage makes stand-ins for the base images of Docker Hub, under their usual
// names, from the machine's own Debian sources. They are TEST FIXTURES: what a Dockerfile or
// manifest of the tests uses of golang, alpine, nginx, postgres and node is there and behaves
// as in the official image (paths, environment, entrypoint, users); versions are Debian's,
// and the rest of the image is not alike. node has no npm.
package baseimage

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

//go:embed recipes
var recipeFiles embed.FS

// recipe is how an image is made: recipes/NAME/before is copied in, Packages are installed,
// recipes/NAME/rootfs is copied over them, and recipes/NAME/setup.sh run in it.
type recipe struct {
	Name     string   // of the repository, without "library/"
	Packages []string // of Debian; none: busybox alone
	GoSDK    string   // Go version to have at /usr/local/go; empty: none
	Node     string   `json:",omitempty"` // version of node to have below /usr/local, from npm's registry; empty: none
	NPM      string   `json:",omitempty"` // version of npm beside it
	Config   v1.Config
}

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// goSDK is the Go that builds this repository: one toolchain to download and no more.
var goSDK = strings.TrimPrefix(strings.Fields(runtime.Version())[0], "go")

// recipes by repository. Configurations are those of the official images in August 2026.
var recipes = map[string]recipe{
	"golang": {
		Packages: []string{"gcc", "libc6-dev", "ca-certificates", "passwd"},
		GoSDK:    goSDK,
		Config: v1.Config{
			Env: []string{
				"PATH=/go/bin:/usr/local/go/bin:" + usualPath,
				"GOLANG_VERSION=" + goSDK, "GOTOOLCHAIN=local", "GOPATH=/go",
			},
			Cmd: []string{"bash"}, WorkingDir: "/go",
		},
	},
	"alpine": {
		Config: v1.Config{Env: []string{"PATH=" + usualPath}, Cmd: []string{"/bin/sh"}, WorkingDir: "/"},
	},
	"nginx": {
		Packages: []string{"nginx", "ca-certificates", "curl", "passwd"},
		Config: v1.Config{
			Env:        []string{"PATH=" + usualPath},
			Entrypoint: []string{"/docker-entrypoint.sh"}, Cmd: []string{"nginx", "-g", "daemon off;"},
			ExposedPorts: map[string]struct{}{"80/tcp": {}}, StopSignal: "SIGQUIT",
		},
	},
	"postgres": {
		Packages: []string{"postgresql"},
		Config: v1.Config{
			Env:        []string{"PATH=" + usualPath, "LANG=C.UTF-8", "PGDATA=/var/lib/postgresql/data"},
			Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"postgres"},
			ExposedPorts: map[string]struct{}{"5432/tcp": {}}, StopSignal: "SIGINT",
			Volumes: map[string]struct{}{"/var/lib/postgresql/data": {}},
		},
	},
	"node": {
		Packages: []string{"libstdc++6", "libatomic1", "ca-certificates", "passwd"},
		Node:     "24.9.0",
		NPM:      "11.6.0",
		Config: v1.Config{
			Env:        []string{"PATH=" + usualPath},
			Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"node"},
		},
	},
}

// find gives the recipe for "golang:1.26-bookworm"; every tag of a name has the same one.
func find(image string) (recipe, error) {
	repository, _, _ := strings.Cut(strings.TrimPrefix(image, "library/"), ":")
	r, ok := recipes[repository]
	if !ok {
		return r, fmt.Errorf("there is no test fixture for the base image %s; there are: %s",
			image, strings.Join(slices.Sorted(maps.Keys(recipes)), ", "))
	}
	r.Name = repository
	return r, nil
}

// hash identifies the recipe's content on this release of Debian.
func (r recipe) hash(suite string) (string, error) {
	const format = "1" // of the building code; count up when it makes something else of a recipe
	h := sha256.New()
	if err := json.NewEncoder(h).Encode([]any{format, suite, runtime.GOARCH, r}); err != nil {
		return "", err
	}
	err := fs.WalkDir(recipeFiles, "recipes/"+r.Name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := recipeFiles.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(data), data)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:12], err
}
