package pipeline

import (
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/moby/patternmatcher"
)

// rule says which files are inputs: of those that are there by list, of any other path, one
// that a commit deleted say, by match.
type rule interface {
	list(t *Tree) []string
	match(file string) answer
}

// answer says whether a path that is not listed would count if it were there.
type answer int

const (
	no  answer = iota
	ask        // its content decides: build constraints
	yes
)

func yesIf(b bool) answer {
	if b {
		return yes
	}
	return no
}

// match returns the files of the tree that the rules list, sorted.
func (t *Tree) match(rules []rule) []string {
	seen := map[string]bool{}
	var out []string
	for _, r := range rules {
		for _, f := range r.list(t) {
			if !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		}
	}
	sort.Strings(out)
	return out
}

// kinded is a rule whose files a person knows under a name.
type kinded struct {
	rule
	kind string
}

// Kinds of inputs, as people are told of them.
const (
	kindService  = "file of the service"
	kindLint     = "lint configuration"
	kindDocker   = "Dockerfile"
	kindIgnore   = "ignore file"
	kindContext  = "build context"
	kindLink     = "behind a symbolic link"
	kindModule   = "module file"
	kindVendor   = "vendored code"
	kindSettings = "settings"
)

// exactly matches files by name.
type exactly map[string]bool

func (r exactly) list(t *Tree) []string {
	var out []string
	for f := range r {
		if t.Has(f) {
			out = append(out, f)
		}
	}
	return out
}

func (r exactly) match(file string) answer { return yesIf(r[file]) }

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

func (r serviceDir) list(t *Tree) []string {
	return slices.DeleteFunc(slices.Clone(t.Below(string(r))), func(f string) bool { return r.match(f) == no })
}

func (r serviceDir) match(file string) answer {
	if !within(string(r), file) {
		return no
	}
	base := path.Base(file)
	return yesIf(!strings.HasSuffix(base, ".md") && base != ".dockerignore" && !isDockerfile(base) || strings.Contains(file, "/testdata/"))
}

func isDockerfile(base string) bool {
	return base == "Dockerfile" || strings.HasPrefix(base, "Dockerfile.") || strings.HasSuffix(base, ".Dockerfile")
}

// wholeDir matches all that is in a directory, and a file of that name.
type wholeDir string

func (r wholeDir) list(t *Tree) []string {
	out := slices.Clone(t.Below(string(r)))
	if t.Has(string(r)) {
		out = append(out, string(r))
	}
	return out
}

func (r wholeDir) match(file string) answer { return yesIf(within(string(r), file)) }

// contextFiles matches the files of a build context that a Dockerfile copies.
type contextFiles struct {
	root   string
	copies []string // patterns relative to root; "." is everything
	ignore *patternmatcher.PatternMatcher
}

func (r contextFiles) list(t *Tree) []string {
	var out []string
	for _, c := range r.copies {
		for _, f := range t.under(path.Join(r.root, literal(c))) {
			if r.match(f) == yes {
				out = append(out, f)
			}
		}
	}
	return out
}

func (r contextFiles) match(file string) answer {
	if !within(r.root, file) {
		return no
	}
	below := rel(r.root, file)
	if !slices.ContainsFunc(r.copies, func(p string) bool { return p == "." || patternMatches(p, below) }) {
		return no
	}
	if r.ignore != nil {
		if ignored, err := r.ignore.MatchesOrParentMatches(below); err == nil && ignored {
			return no
		}
	}
	return yes
}

// patternMatches applies a pattern to the file or to a directory above it, which then
// counts whole.
func patternMatches(pattern, file string) bool {
	for p := file; p != "."; p = path.Dir(p) {
		if ok, _ := path.Match(pattern, p); ok || pattern == "." {
			return true
		}
	}
	return false
}

// literal is the part of a pattern before its first directory with a wildcard.
func literal(pattern string) string {
	var out []string
	for _, c := range strings.Split(pattern, "/") {
		if strings.ContainsAny(c, `*?[\`) {
			break
		}
		out = append(out, c)
	}
	return path.Join(out...)
}

// under are the files below a path, and the file of that name; "" is the root.
func (t *Tree) under(p string) []string {
	if p == "" {
		p = "."
	}
	if t.Has(p) {
		return []string{p}
	}
	return t.Below(p)
}
