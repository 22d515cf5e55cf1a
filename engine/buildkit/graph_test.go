package buildkit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"slipway/pipeline"
)

var runStep = pipeline.Step{ID: "app/build", Name: "build app", Run: &pipeline.Run{
	On: pipeline.Root{Go: "1.26.8"}, Args: []string{"go", "build"}, Dir: "/src", Env: []pipeline.Var{{Name: "HOME", Value: "/root"}},
	Mounts: []pipeline.Mount{{Target: "/src", Source: "app"}, {Target: "/cache", Cache: "go-build"}, {Target: "/root/.netrc", Secret: "netrc"}},
}}

func smallGraph(hostNet bool) *graph {
	plan := &pipeline.Plan{Project: "sample", Service: "app", Platform: "linux/amd64", Sources: []pipeline.Source{{Name: "app", Root: ".", Files: []string{"main.go"}}}}
	return &graph{
		plan: plan, platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, hostNet: hostNet, outputs: map[string]llb.State{},
		toolchains: map[string]llb.State{"1.26.8": llb.Image("toolchain.example.com/go:1.26.8")},
	}
}

// drawn is a step's graph, one operation a line.
func drawn(t *testing.T, g *graph, attempt string) (lines []string) {
	t.Helper()
	st, err := g.run(&runStep, attempt)
	must(t, err)
	def, err := st.Marshal(t.Context(), llb.LocalUniqueID("test"))
	must(t, err)
	for _, raw := range def.Def {
		var op pb.Op
		must(t, op.UnmarshalVT(raw))
		lines = append(lines, describe(&op))
	}
	return lines
}

func describe(op *pb.Op) string {
	if src := op.GetSource(); src != nil {
		return fmt.Sprintf("source %s %s", src.Identifier, src.Attrs[pb.AttrSharedKeyHint])
	}
	if file := op.GetFile(); file != nil {
		return fmt.Sprintf("file %d actions", len(file.Actions))
	}
	exec := op.GetExec()
	if exec == nil {
		return fmt.Sprintf("end of %d", len(op.Inputs))
	}
	var mounts []string
	for _, m := range exec.Mounts {
		mounts = append(mounts, fmt.Sprintf("%s:%s:%s%s", m.Dest, m.MountType, m.CacheOpt.GetID(), m.SecretOpt.GetID()))
	}
	return fmt.Sprintf("exec %q in %s with %q on %s: %s", exec.Meta.Args, exec.Meta.Cwd, exec.Meta.Env, exec.Network, strings.Join(mounts, " "))
}

func TestAStepsGraph(t *testing.T) {
	want := []string{
		"source docker-image://toolchain.example.com/go:1.26.8 ",
		"source local://app:app slipway/sample/app:app",
		"file 1 actions",
		`exec ["go" "build"] in /src with ["HOME=/root"] on UNSET: /:BIND: /cache:CACHE:slipway/go-build /out:BIND: /src:BIND: /root/.netrc:SECRET:netrc`,
		"end of 1",
	}
	got := drawn(t, smallGraph(false), "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(got, drawn(t, smallGraph(false), "")); diff != "" {
		t.Errorf("drawn again it is another:\n%s", diff)
	}
	again := strings.Join(drawn(t, smallGraph(true), "second"), "\n")
	if !strings.Contains(again, `["HOME=/root" "SLIPWAY_ATTEMPT=second"] on HOST`) {
		t.Errorf("a second attempt in the machine's network is:\n%s", again)
	}
}

func TestAGraphOfWhatIsNotThere(t *testing.T) {
	for want, change := range map[string]func(*pipeline.Run){
		"the Go 1.0 toolchain was not prepared":                                            func(r *pipeline.Run) { r.On.Go = "1.0" },
		"the toolchain image golang:1 was not resolved":                                    func(r *pipeline.Run) { r.On.Image = "golang:1" },
		`step app/build: the plan of app has no source "other"`:                            func(r *pipeline.Run) { r.Mounts = []pipeline.Mount{{Target: "/x", Source: "other"}} },
		"step app/build: it mounts the output of app/later, which does not come before it": func(r *pipeline.Run) { r.Mounts = []pipeline.Mount{{Target: "/x", Step: "app/later"}} },
		"step app/build: the mount at /x has no origin":                                    func(r *pipeline.Run) { r.Mounts = []pipeline.Mount{{Target: "/x"}} },
	} {
		run := *runStep.Run
		change(&run)
		s := runStep
		s.Run = &run
		if _, err := smallGraph(false).run(&s, ""); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
