package buildkit

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"slipway/engine/packing"
	"slipway/pipeline"
)

// graph turns a plan's steps into BuildKit's low-level graph (LLB). It is pure: equal
// plans give equal graphs, which is what makes BuildKit's cache hold.
type graph struct {
	plan       *pipeline.Plan
	platform   ocispecs.Platform
	toolchains map[string]llb.State // by Go version
	images     map[string]llb.State // by name: those that steps run on
	caBundle   []byte
	outputs    map[string]llb.State // /out by step, for the steps drawn so far
	hostNet    bool                 // steps run in the network of the engine's machine
}

// outDir is where a Run step leaves its output.
const outDir = "/out"

// source is a Source as a filesystem, sent by this session. The name, and the hint by
// which BuildKit recognises what it was sent before, are per service and not per clone.
func (g *graph) source(name string) (llb.State, error) {
	src := g.plan.Source(name)
	if src == nil {
		return llb.Scratch(), fmt.Errorf("the plan of %s has no source %q", g.plan.Service, name)
	}
	if len(src.Literal) > 0 {
		return literalFiles(src), nil
	}
	local := localName(g.plan.Service, name)
	return llb.Local(local, llb.SharedKeyHint("slipway/"+g.plan.Project+"/"+local), llb.WithCustomName("["+g.plan.Service+"] files of "+name)), nil
}

// literalFiles are part of the graph itself.
func literalFiles(src *pipeline.Source) llb.State {
	st := llb.Scratch()
	for _, name := range slices.Sorted(maps.Keys(src.Literal)) {
		st = st.File(llb.Mkfile("/"+name, 0o644, []byte(src.Literal[name]), llb.WithCreatedTime(packing.Epoch)), hidden(src.Name+" "+name))
	}
	return st
}

func localName(service, source string) string {
	return strings.ReplaceAll(service+":"+source, "/", "-")
}

// run draws a Run step: the state of its /out. An attempt that is not "" makes BuildKit
// run it even if it has the result. (llb.IgnoreCache would do so as well, but it empties
// the step's cache mounts.)
func (g *graph) run(s *pipeline.Step, attempt string) (llb.State, error) {
	es, err := g.exec(s, attempt)
	if err != nil {
		return llb.State{}, err
	}
	out := es.GetMount(outDir)
	g.outputs[s.ID] = out
	return out, nil
}

// exec draws a Run step with all that it leaves: its root and its mounts.
func (g *graph) exec(s *pipeline.Step, attempt string) (llb.ExecState, error) {
	r := s.Run
	root, err := g.root(r.On)
	if err != nil {
		return llb.ExecState{}, err
	}
	opts := []llb.RunOption{llb.Args(r.Args), llb.Dir(r.Dir), llb.WithCustomName("[" + g.plan.Service + "] " + s.Name), llb.Platform(g.platform)}
	for _, v := range r.Env {
		opts = append(opts, llb.AddEnv(v.Name, v.Value))
	}
	for _, m := range r.Mounts {
		opt, err := g.mount(m)
		if err != nil {
			return llb.ExecState{}, fmt.Errorf("step %s: %w", s.ID, err)
		}
		opts = append(opts, opt)
	}
	if attempt != "" {
		opts = append(opts, llb.AddEnv("SLIPWAY_ATTEMPT", attempt))
	}
	if g.hostNet {
		opts = append(opts, llb.Network(llb.NetModeHost))
	}
	es := root.Run(opts...)
	es.AddMount(outDir, llb.Scratch())
	return es, nil
}

func (g *graph) root(on pipeline.Root) (llb.State, error) {
	if on.Image != "" {
		st, ok := g.images[on.Image]
		if !ok {
			return st, fmt.Errorf("the toolchain image %s was not resolved", on.Image)
		}
		return st, nil
	}
	st, ok := g.toolchains[on.Go]
	if !ok {
		return st, fmt.Errorf("the Go %s toolchain was not prepared", on.Go)
	}
	return st, nil
}

func (g *graph) mount(m pipeline.Mount) (llb.RunOption, error) {
	switch {
	case m.Source != "":
		src, err := g.source(m.Source)
		if err != nil {
			return nil, err
		}
		// An upload is known to BuildKit by its session. The copy, whose only input it is,
		// is known by its content from its first run on; a command with several inputs
		// would be from its third.
		st := llb.Scratch().File(llb.Copy(src, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}), hidden("files of "+m.Source))
		// Writable, and what is written is thrown away: tests may leave files.
		return llb.AddMount(m.Target, st), nil
	case m.Step != "":
		st, ok := g.outputs[m.Step]
		if !ok {
			return nil, fmt.Errorf("it mounts the output of %s, which does not come before it", m.Step)
		}
		return llb.AddMount(m.Target, st), nil
	case m.Cache != "":
		return llb.AddMount(m.Target, llb.Scratch(), llb.AsPersistentCacheDir("slipway/"+m.Cache, llb.CacheMountShared)), nil
	case m.Secret != "":
		return llb.AddSecret(m.Target, llb.SecretID(m.Secret), llb.SecretOptional, llb.SecretFileOpt(0, 0, 0o444)), nil
	}
	return nil, fmt.Errorf("the mount at %s has no origin", m.Target)
}

// context draws a Build step's context: its source with the extra files laid over. All
// are copied with one time, so that layers that copy from it do not depend on when a file
// was written.
func (g *graph) context(s *pipeline.Step) (llb.State, error) {
	b := s.Build
	src, err := g.source(b.Source)
	if err != nil {
		return src, err
	}
	everything := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: &packing.Epoch}
	ctx := llb.Scratch().File(llb.Copy(src, "/", "/", everything), hidden("build context"))
	for _, e := range b.Extra {
		dir := llb.Mkdir(path.Dir("/"+e.To), 0o755, llb.WithParents(true), llb.WithCreatedTime(packing.Epoch))
		if e.CABundle {
			ctx = ctx.File(dir.Mkfile("/"+e.To, 0o644, g.caBundle, llb.WithCreatedTime(packing.Epoch)), hidden("CA bundle"))
			continue
		}
		out, ok := g.outputs[e.Step]
		if !ok {
			return ctx, fmt.Errorf("step %s: it uses the output of %s, which does not come before it", s.ID, e.Step)
		}
		ctx = ctx.File(dir.Copy(out, "/"+e.Path, "/"+e.To, &llb.CopyInfo{CreatedTime: &packing.Epoch}), hidden("binary"))
	}
	return ctx, nil
}

// dockerfile is the Dockerfile as the frontend's input.
func (g *graph) dockerfile(b *pipeline.Build, content []byte) llb.State {
	return llb.Scratch().File(llb.Mkfile("/"+path.Base(b.Dockerfile), 0o644, content, llb.WithCreatedTime(packing.Epoch)), hidden("load "+b.Dockerfile))
}

// hidden names a vertex that BuildKit's display may fold: its name starts with "[internal]".
func hidden(name string) llb.ConstraintsOpt {
	return llb.WithCustomName("[internal] " + name)
}

// frontendOpts are the options of BuildKit's Dockerfile frontend.
func (g *graph) frontendOpts(b *pipeline.Build) map[string]string {
	opts := map[string]string{
		"filename": path.Base(b.Dockerfile),
		"platform": g.plan.Platform,
		// A `# syntax=` line would pull a frontend's image; with cmdline set, the frontend
		// takes the line as followed already, and the one built in is used.
		"cmdline": "docker/dockerfile:1",
	}
	if b.Target != "" {
		opts["target"] = b.Target
	}
	if g.hostNet {
		opts["force-network-mode"] = "host"
	}
	for _, a := range b.Args {
		opts["build-arg:"+a.Name] = a.Value
	}
	return opts
}
