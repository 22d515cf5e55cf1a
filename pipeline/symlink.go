package pipeline

import (
	"path"
	"strings"
)

// linked adds, to rules, what their files' symbolic links lead to within the repository,
// or would lead to if it were there: a container that gets a link without its target reads
// nothing.
func (t *Tree) linked(rules []rule) []rule {
	seen := map[string]bool{}
	for next := rules; len(next) > 0; {
		var found []rule
		for _, r := range next {
			for _, f := range r.list(t) {
				if target, ok := t.target(f); ok && !seen[target] {
					seen[target] = true
					found = append(found, kinded{wholeDir(target), kindLink})
				}
			}
		}
		rules = append(rules[:len(rules):len(rules)], found...)
		next = found
	}
	return rules
}

// linkedContext is the same for a build context, which sees nothing outside itself and
// nothing that its ignore file leaves out.
func (t *Tree) linkedContext(r contextFiles) contextFiles {
	seen := map[string]bool{}
	for next := r; len(next.copies) > 0; {
		var found []string
		for _, f := range next.list(t) {
			target, ok := t.target(f)
			if !ok || seen[target] || !within(r.root, target) {
				continue
			}
			seen[target] = true
			found = append(found, rel(r.root, target))
		}
		r.copies = append(r.copies[:len(r.copies):len(r.copies)], found...)
		next.copies = found
	}
	return r
}

// target is the path that a symbolic link leads to, whether anything is there or not; false
// where the file is no link, or leads out of the repository or to all of it.
func (t *Tree) target(file string) (string, bool) {
	to, ok := t.Link(file)
	if !ok || path.IsAbs(to) {
		return "", false
	}
	p := path.Join(path.Dir(file), to)
	return p, p != "." && p != ".." && !strings.HasPrefix(p, "../")
}
