// Package affected holds what slipway takes for affected against what is built: it changes one
// file of a monorepo made at random, lets the go command build all of it anew, and compares.
package affected

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/pipeline"
	"slipway/pipeline/worktree"
	"slipway/test/gitrepo"
	"slipway/tools"
)

// slipwaySays are the services that differ from HEAD, and the hash of every service's inputs;
// an error where the repository cannot be planned.
func (m *monorepo) slipwaySays(t testing.TB, base string) (affected []string, hashes map[string]string, err error) {
	t.Helper()
	w, err := worktree.Open(t.Context(), m.Dir)
	must(t, err)
	repo, err := pipeline.Discover(w.Tree, "shop", pipeline.Platform{OS: "linux", Arch: "amd64"})
	if err != nil {
		return nil, nil, err
	}
	inputs := map[string]*pipeline.Inputs{}
	hashes = map[string]string{}
	for i := range repo.Services {
		d, err := repo.Draft(&repo.Services[i], pipeline.Request{Parts: pipeline.Check, Tools: tools.Set()})
		if err != nil {
			return nil, nil, err
		}
		inputs[d.Service()], hashes[d.Service()] = d.Inputs(), d.Inputs().Hash
	}
	since, err := w.Since(t.Context(), base)
	must(t, err)
	causes := w.Causes(t.Context(), inputs, since)
	return slices.Sorted(maps.Keys(causes)), hashes, nil
}

// generous reports whether more than a rebuild shows may be taken for affected: which
// requirement a package from outside needs is said in that package alone, which is not here,
// so all of the module's count; a pattern that could match what is copied counts though it
// matches nothing; and whether there is a vendor directory changes where all is looked for.
func (m *monorepo) generous(file string, external bool) bool {
	switch base := path.Base(file); {
	case strings.HasSuffix(base, ".dockerignore"):
		return true
	case base == "modules.txt":
		return !m.has(file)
	case base == "go.mod", base == "go.sum":
		return external
	}
	return false
}

// oneAfterTheOther changes one file after another of a monorepo.
func oneAfterTheOther(t *testing.T, seed uint64, p *proxy, modules string, changes int) {
	m := newMonorepo(t, seed, p, modules)
	before := m.rebuild(t)
	_, hashes, err := m.slipwaySays(t, "HEAD")
	must(t, err)
	if before.failed {
		t.Fatalf("seed %d: the monorepo does not build", seed)
	}
	for step := range changes {
		base := m.Head()
		file, how := m.change(t)
		what := fmt.Sprintf("seed %d, step %d: %s: %s", seed, step, file, how)
		after := m.rebuild(t)
		got, now, err := m.slipwaySays(t, base)
		if err != nil {
			if !after.failed {
				t.Fatalf("%s: it builds, but cannot be planned: %v", what, err)
			}
			m.takeBack()
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(after.digests)) {
			differs, affected := before.digests[name] != after.digests[name], slices.Contains(got, name)
			switch {
			case now[name] == "":
				// It is no service any more: nothing would be built.
			case hashes[name] != "" && affected != (hashes[name] != now[name]):
				t.Errorf("%s: %s is affected: %v, and the hash of its inputs is another one: %v", what, name, affected, !affected)
			case differs && !affected:
				t.Errorf("%s: %s is not affected, but a rebuild gives something else:\n%s", what, name, between(before.digests[name], after.digests[name]))
			case affected && !differs && !m.generous(file, before.external[name] || after.external[name]):
				t.Errorf("%s: %s is affected, but a rebuild gives the same", what, name)
			}
		}
		if t.Failed() {
			return
		}
		if after.failed {
			m.takeBack()
			continue
		}
		m.Commit(what, gitrepo.Epoch.Add(time.Duration(step+1)*time.Hour))
		before, hashes = after, now
	}
}

// takeBack undoes a change that breaks something, as what is broken cannot be told from what is
// broken otherwise.
func (m *monorepo) takeBack() {
	m.Git("reset", "-q", "--hard")
	m.Git("clean", "-q", "-d", "-f")
}

// between are the lines that only one of two texts has.
func between(a, b string) string {
	was, is := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out []string
	for _, l := range was {
		if !slices.Contains(is, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range is {
		if !slices.Contains(was, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

// The seed is printed: FuzzAffected takes it.
func TestAffectedIsWhatARebuildShows(t *testing.T) {
	p, modules := newProxy(t), t.TempDir()
	first := rand.Uint64()
	t.Logf("seeds from %d on", first)
	for i := range uint64(3) {
		oneAfterTheOther(t, first+i, p, modules, 8)
	}
}

func FuzzAffected(f *testing.F) {
	p, modules := newProxy(f), f.TempDir()
	for _, seed := range []uint64{1, 7504199233289344836, 16684695019742068752} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { oneAfterTheOther(t, seed, p, modules, 8) })
}
