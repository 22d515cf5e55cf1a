package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
)

// Inputs is what a service's build depends on, as files. The rules decide for any path,
// one that a commit deleted included, which is how history is read; Files are those that
// are there now.
type Inputs struct {
	// Hash is over the files' paths, modes and contents, and all else that decides what is
	// built: the Go version, the toolchain image, the build arguments, PlanVersion.
	Hash  string   `json:"hash"`
	Files []string `json:"files"`

	rules []rule
}

// Match reports whether a file of that path is an input.
func (in *Inputs) Match(file string) bool { return matchAny(in.rules, file) }

// rule says of a path whether it is an input.
type rule interface{ match(file string) bool }

func matchAny(rules []rule, file string) bool {
	for _, r := range rules {
		if r.match(file) {
			return true
		}
	}
	return false
}

// exactly matches files by name.
type exactly map[string]bool

func (r exactly) match(file string) bool { return r[file] }

func exact(files ...string) exactly {
	r := exactly{}
	for _, f := range files {
		r[f] = true
	}
	return r
}

// serviceDir matches all that is in a service's directory but prose and what only the
// image is made of: a test may read any file that lies beside it.
type serviceDir string

func (r serviceDir) match(file string) bool {
	if !within(string(r), file) {
		return false
	}
	base := path.Base(file)
	return !strings.HasSuffix(base, ".md") && base != ".dockerignore" && !isDockerfile(base)
}

func isDockerfile(base string) bool {
	return base == "Dockerfile" || strings.HasPrefix(base, "Dockerfile.") || strings.HasSuffix(base, ".Dockerfile")
}

// wholeDir matches all that is in a directory.
type wholeDir string

func (r wholeDir) match(file string) bool { return within(string(r), file) }

// packageDir matches the files of a Go package in a directory that other packages share:
// sources, test data, embedded files.
type packageDir goPackage

// goExtensions are what the go command reads in a package's directory (`go help list`,
// the *Files fields).
var goExtensions = map[string]bool{
	".go": true, ".c": true, ".cc": true, ".cpp": true, ".cxx": true, ".m": true, ".h": true, ".hh": true, ".hpp": true,
	".hxx": true, ".f": true, ".F": true, ".for": true, ".f90": true, ".s": true, ".S": true, ".sx": true, ".swig": true, ".swigcxx": true, ".syso": true,
}

func (r packageDir) match(file string) bool {
	if path.Dir(file) == r.Dir && goExtensions[path.Ext(file)] {
		return true
	}
	if !within(r.Dir, file) {
		return false
	}
	below := rel(r.Dir, file)
	if strings.HasPrefix(below, "testdata/") {
		return true
	}
	for _, p := range r.Embeds {
		if embedMatches(strings.TrimPrefix(p, "all:"), below) {
			return true
		}
	}
	return false
}

// embedMatches applies a go:embed pattern: path.Match on the file or on a directory above
// it, which then counts whole (embed's documentation). The hidden files that embed leaves
// out of a directory are counted too: too much is a rebuild, too little a wrong result.
func embedMatches(pattern, file string) bool {
	for p := file; p != "."; p = path.Dir(p) {
		if ok, _ := path.Match(pattern, p); ok || pattern == "." {
			return true
		}
	}
	return false
}

// contextFiles matches the files of a build context that a Dockerfile copies.
type contextFiles struct {
	root   string
	copies []string // patterns relative to root; "." is everything
	ignore *patternmatcher.PatternMatcher
}

func (r contextFiles) match(file string) bool {
	if !within(r.root, file) {
		return false
	}
	below := rel(r.root, file)
	if r.ignore != nil {
		if ignored, err := r.ignore.MatchesOrParentMatches(below); err == nil && ignored {
			return false
		}
	}
	for _, p := range r.copies {
		if p == "." || embedMatches(p, below) {
			return true
		}
	}
	return false
}

// match returns the files of the tree that the rules match.
func (t *Tree) match(rules []rule) []string {
	var out []string
	for _, f := range t.Files {
		if matchAny(rules, f) {
			out = append(out, f)
		}
	}
	return out
}

// hashInputs hashes the settings and the files.
func (t *Tree) hashInputs(settings []string, files []string) (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "slipway plan %d\n", PlanVersion)
	for _, s := range settings {
		_, _ = fmt.Fprintf(h, "%q\n", s)
	}
	for _, f := range files {
		if err := t.hashFile(h, f); err != nil {
			return "", fmt.Errorf("hashing the inputs: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (t *Tree) hashFile(h hash.Hash, name string) error {
	sum, kind, err := t.Sum(name)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(h, "%s %x %q\n", kind, sum, name)
	return nil
}

// Sum returns the SHA-256 of a file's content and its kind: "file", "exec" or "link" (of
// which the content is the target). These are the modes that git knows, so they are equal
// in every clone, whatever the umask.
func (t *Tree) Sum(name string) (sum []byte, kind string, err error) {
	h := sha256.New()
	if target, ok := t.Link(name); ok {
		_, _ = io.WriteString(h, target)
		return h.Sum(nil), "link", nil
	}
	f, err := t.FS.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if _, err := io.Copy(h, f); err != nil {
		return nil, "", err
	}
	kind = "file"
	if info.Mode()&0o111 != 0 {
		kind = "exec"
	}
	return h.Sum(nil), kind, nil
}
