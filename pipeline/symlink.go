package pipeline

import "path"

// linked adds, to rules, what their files' symbolic links lead to within the repository:
// a container that gets a link without its target reads nothing.
func (t *Tree) linked(rules []rule) []rule {
	seen := map[string]bool{}
	for {
		more := false
		for _, f := range t.match(rules) {
			target, ok := t.target(f)
			if !ok || seen[target] {
				continue
			}
			seen[target], more = true, true
			rules = append(rules, wholeDir(target))
		}
		if !more {
			return rules
		}
	}
}

// linkedContext is the same for a build context, which sees nothing outside itself and
// nothing that its ignore file leaves out.
func (t *Tree) linkedContext(r contextFiles) contextFiles {
	seen := map[string]bool{}
	for {
		more := false
		for _, f := range t.match([]rule{r}) {
			target, ok := t.target(f)
			if !ok || seen[target] || !within(r.root, target) {
				continue
			}
			seen[target], more = true, true
			r.copies = append(r.copies, rel(r.root, target))
		}
		if !more {
			return r
		}
	}
}

// target is the path in the tree that a symbolic link leads to; false where the file is no
// link, or leads out of the repository or to nothing that git knows.
func (t *Tree) target(file string) (string, bool) {
	to, ok := t.Link(file)
	if !ok || path.IsAbs(to) {
		return "", false
	}
	p := path.Join(path.Dir(file), to)
	return p, t.Has(p) || t.IsDir(p)
}
