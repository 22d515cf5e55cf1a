package buildkit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"slipway/engine/scratch"
	"slipway/pipeline"
)

// exported remembers what a service's last run wrote below the build directory, so that a
// run which finds everything in the engine's cache writes nothing: the same key and the
// files as they were left mean that they are what would be written.
type exported struct {
	Key    string           `json:"key"`
	Digest string           `json:"digest,omitempty"` // of the image
	Files  map[string]stamp `json:"files"`            // by path below the build directory
}

// stamp tells whether a file was touched.
type stamp struct {
	Size    int64 `json:"size"`
	ModTime int64 `json:"modTime"` // nanoseconds
}

func stampOf(name string) (stamp, bool) {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}, false
	}
	return stamp{info.Size(), info.ModTime().UnixNano()}, true
}

// exportKey covers all that decides what a plan exports.
func exportKey(engine string, plan *pipeline.Plan) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\n%s\n%s\n", engine, plan.Inputs.Hash, plan.Ref())
	_ = json.NewEncoder(h).Encode(plan.Steps) // strings only: does not fail
	return hex.EncodeToString(h.Sum(nil))
}

func exportedFile(build, service string) string {
	return filepath.Join(build, ".slipway", service+".json")
}

// readExported returns what is remembered under the key, empty where nothing is.
func readExported(build, service, key string) *exported {
	e := &exported{}
	data, err := os.ReadFile(exportedFile(build, service))
	if err != nil || json.Unmarshal(data, e) != nil || e.Key != key || e.Files == nil {
		return &exported{Key: key, Files: map[string]stamp{}}
	}
	return e
}

// has reports whether the file is still what was exported.
func (e *exported) has(build, file string) bool {
	was, known := e.Files[file]
	is, there := stampOf(filepath.Join(build, filepath.FromSlash(file)))
	return known && there && was == is
}

// note remembers the file as it is now.
func (e *exported) note(build, file string) {
	if s, ok := stampOf(filepath.Join(build, filepath.FromSlash(file))); ok {
		e.Files[file] = s
	}
}

// hasDir is has for all files that were noted below a directory, one at least.
func (e *exported) hasDir(build, dir string) bool {
	noted := false
	for file := range e.Files {
		if strings.HasPrefix(file, dir+"/") {
			if noted = e.has(build, file); !noted {
				return false
			}
		}
	}
	return noted
}

// noteDir is note for all files below a directory, and forgets what was there before.
func (e *exported) noteDir(build, dir string) {
	maps.DeleteFunc(e.Files, func(file string, _ stamp) bool { return strings.HasPrefix(file, dir+"/") })
	files := os.DirFS(build)
	_ = fs.WalkDir(files, dir, func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			e.note(build, file)
		}
		return err // what is not noted is exported again
	})
}

func (e *exported) write(s *scratch.Dir, build, service string) {
	if data, err := json.Marshal(e); err == nil {
		_ = s.Write(exportedFile(build, service), data, 0o644) // not remembered is only slower
	}
}
