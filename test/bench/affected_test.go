package bench

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/pipeline"
	"slipway/pipeline/worktree"
	"slipway/test/figures"
	"slipway/test/gitrepo"
	"slipway/tools"
)

// BenchmarkAffected finds the affected set and the plan in generated monorepos with one changed
// file: of 500 services, and of a quarter and a half of them beside, for the growth. A service
// has six files and shares five of the packages, of which there is one for two services; the
// history has a commit for every ten services.
func BenchmarkAffected(b *testing.B) {
	const services = 500
	sizes := []int{services / 4, services / 2, services}
	dirs := map[int]string{}
	for _, n := range sizes {
		dirs[n] = manyServices(b, n)
	}
	times, files := map[int][]time.Duration{}, map[int]int{}
	for b.Loop() {
		for _, n := range sizes {
			began := time.Now()
			plans, found := affectedPlans(b, dirs[n])
			times[n] = append(times[n], time.Since(began))
			if files[n] = found; plans != 1 {
				b.Fatalf("%d plans, want that of the one service that was changed", plans)
			}
		}
	}
	samples := map[int]figures.Sample{}
	for n, all := range times {
		one := figures.Sample{Name: fmt.Sprintf("%d-services", n), Command: "plan in the benchmark's own process what build:affected would build"}
		for _, d := range all {
			one.Took(d)
		}
		samples[n] = one
	}
	of := func(n int) string {
		return fmt.Sprintf("%d services (%d files), 1 changed: affected set and plan", n, files[n])
	}
	figures.Record(b, figures.Figure{Work: of(services), Unit: "ms", Ours: samples[services], AtMost: 3000})
	// 1 is growth that is linear in files.
	growth := figures.Sample{Name: "growth", Command: "the same of 125 and of 500 services, each divided by its files"}
	perFile := func(n int) float64 { s := samples[n]; return s.Median() / float64(files[n]) }
	growth.Values = []float64{perFile(services) / perFile(services/4)}
	figures.Record(b, figures.Figure{Work: "growth of that from 125 to 500 services, for each file", Unit: "×", Ours: growth, AtMost: 1.2})
}

// manyServices makes a monorepo of n services with one changed file that is not committed.
func manyServices(b *testing.B, n int) string {
	b.Helper()
	r := gitrepo.New(b)
	r.Write(".gitignore", "/build\n")
	r.Write(".golangci.yml", "version: \"2\"\n")
	r.Write("go.mod", "module example.com/shop\n\ngo 1.26.0\n\nrequire example.org/x v1.0.0\n")
	r.Write("go.sum", "example.org/x v1.0.0 h1:x\nexample.org/x v1.0.0/go.mod h1:x\n")
	r.Write("services/Dockerfile", "FROM scratch\nARG SERVICE\nCOPY build/${SERVICE} /app\n")
	shared := max(n/2, 5)
	for i := range shared {
		dir := fmt.Sprintf("shared/p%d", i)
		r.Write(dir+"/p.go", fmt.Sprintf("package p%d\n\nimport _ \"strings\"\n\nvar X = %d\n", i, i))
		r.Write(dir+"/p_test.go", fmt.Sprintf("package p%d\n", i))
		r.Write(dir+"/testdata/in.txt", "1\n")
	}
	for i := range n {
		dir := fmt.Sprintf("services/s%d", i)
		var imports strings.Builder
		for j := range 5 {
			fmt.Fprintf(&imports, "import _ \"example.com/shop/shared/p%d\"\n", (i*7+j*3)%shared)
		}
		r.Write(dir+"/main.go", "package main\n\nimport _ \"fmt\"\n"+imports.String()+"\nfunc main() {}\n")
		r.Write(dir+"/handler.go", "package main\n\nimport _ \"net/http\"\n")
		r.Write(dir+"/main_test.go", "package main\n")
		r.Write(dir+"/config.toml", "x = 1\n")
		r.Write(dir+"/api/api.go", "package api\n")
		r.Write(dir+"/README.md", "prose\n")
		if i%10 == 9 {
			r.Commit("Add services", gitrepo.Epoch.Add(time.Duration(i)*time.Minute))
		}
	}
	r.Commit("Add the rest", gitrepo.Epoch.Add(time.Duration(n)*time.Minute))
	if err := os.WriteFile(filepath.Join(r.Dir, "services/s7/handler.go"), []byte("package main\n\nvar more = 1\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	return r.Dir
}

// affectedPlans does what build:affected does before anything is built, and counts the plans
// and the repository's files.
func affectedPlans(b *testing.B, dir string) (plans, files int) {
	b.Helper()
	ctx := b.Context()
	check := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	w, err := worktree.Open(ctx, dir)
	check(err)
	repo, err := pipeline.Discover(w.Tree, "shop", pipeline.Platform{OS: "linux", Arch: "amd64"})
	check(err)
	drafts, inputs := map[string]*pipeline.Draft{}, map[string]*pipeline.Inputs{}
	for i := range repo.Services {
		d, err := repo.Draft(&repo.Services[i], pipeline.Request{Parts: pipeline.Check, Tools: tools.Set()})
		check(err)
		drafts[d.Service()], inputs[d.Service()] = d, d.Inputs()
	}
	since, err := w.Since(ctx, "main")
	check(err)
	causes := w.Causes(ctx, inputs, since)
	maps.DeleteFunc(inputs, func(name string, _ *pipeline.Inputs) bool { return causes[name] == nil })
	tags, err := w.Tags(ctx, inputs, func(s string) { b.Error(s) })
	check(err)
	for name, tag := range tags {
		_, err := drafts[name].Plan(tag)
		check(err)
	}
	return len(tags), len(w.Tree.Files)
}

// BenchmarkTags finds the tags of all services of such a monorepo, as a deploy does.
func BenchmarkTags(b *testing.B) {
	dir := manyServices(b, 500)
	w, err := worktree.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	repo, err := pipeline.Discover(w.Tree, "shop", pipeline.Platform{OS: "linux", Arch: "amd64"})
	if err != nil {
		b.Fatal(err)
	}
	inputs := map[string]*pipeline.Inputs{}
	for i := range repo.Services {
		d, err := repo.Draft(&repo.Services[i], pipeline.Request{Parts: pipeline.Check, Tools: tools.Set()})
		if err != nil {
			b.Fatal(err)
		}
		inputs[d.Service()] = d.Inputs()
	}
	for b.Loop() {
		if _, err := w.Tags(b.Context(), inputs, func(s string) { b.Error(s) }); err != nil {
			b.Fatal(err)
		}
	}
}
