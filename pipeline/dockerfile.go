package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// dockerfile is what a plan needs to know of a Dockerfile.
type dockerfile struct {
	Stages []string // names, lower case
	Bases  []string // images that it builds on or copies from, as written after expansion
	Copies []string // patterns of the context that it uses; "." where all or not known
}

func (d *dockerfile) hasStage(name string) bool {
	for _, s := range d.Stages {
		if s == name {
			return true
		}
	}
	return false
}

// parseDockerfile reads a Dockerfile with BuildKit's own parser. args are the build
// arguments it will get.
func parseDockerfile(name string, data []byte, platform Platform, args []Var) (*dockerfile, error) {
	ast, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, dockerfileError(name, err)
	}
	stages, meta, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		return nil, dockerfileError(name, err)
	}
	if len(stages) == 0 {
		return nil, fmt.Errorf("%s:1: no stage: a Dockerfile starts with FROM", name)
	}
	r := &dockerfileReader{lex: shell.NewLex(ast.EscapeToken), stages: map[string]bool{}, onbuild: map[string]bool{}}
	given := map[string]string{}
	for _, a := range args {
		given[a.Name] = a.Value
	}
	global := platformArgs(platform)
	for _, m := range meta {
		r.declare(global, given, m.Args)
	}
	for i, st := range stages {
		r.base(global, st.BaseName)
		if from, _ := r.expand(st.BaseName, global); r.onbuild[strings.ToLower(from)] {
			r.out.Copies = append(r.out.Copies, ".") // what was put off until now may copy anything
		}
		env, onbuild := platformArgs(platform), false
		for _, c := range st.Commands {
			if err := r.command(env, global, given, c); err != nil {
				return nil, dockerfileError(name, err)
			}
			_, put := c.(*instructions.OnbuildCommand)
			onbuild = onbuild || put
		}
		if st.Name != "" {
			r.out.Stages = append(r.out.Stages, strings.ToLower(st.Name))
			r.stages[strings.ToLower(st.Name)], r.onbuild[strings.ToLower(st.Name)] = true, onbuild
		}
		r.stages[fmt.Sprint(i)], r.onbuild[fmt.Sprint(i)] = true, onbuild
	}
	return &r.out, nil
}

// platformArgs are the arguments that BuildKit sets itself.
func platformArgs(p Platform) map[string]string {
	env := map[string]string{}
	for _, kind := range []string{"TARGET", "BUILD"} {
		env[kind+"PLATFORM"], env[kind+"OS"], env[kind+"ARCH"] = p.String(), p.OS, p.Arch
	}
	return env
}

type dockerfileReader struct {
	lex     *shell.Lex
	stages  map[string]bool // those read, by name and number
	onbuild map[string]bool // of them, those with ONBUILD
	out     dockerfile
}

func (r *dockerfileReader) expand(word string, env map[string]string) (string, bool) {
	res, err := r.lex.ProcessWordWithMatches(word, shell.EnvsFromSlice(pairs(env)))
	return res.Result, err == nil && len(res.Unmatched) == 0
}

func pairs(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for _, k := range sortedKeys(env) {
		out = append(out, k+"="+env[k])
	}
	return out
}

func (r *dockerfileReader) declare(env, given map[string]string, args []instructions.KeyValuePairOptional) {
	for _, a := range args {
		if v, ok := given[a.Key]; ok {
			env[a.Key] = v
		} else if a.Value != nil {
			r.set(env, a.Key, *a.Value)
		}
	}
}

// set notes a variable's value, or that it is not known here: a base image may have set
// what it is made of.
func (r *dockerfileReader) set(env map[string]string, name, word string) {
	if v, sure := r.expand(word, env); sure {
		env[name] = v
	} else {
		delete(env, name)
	}
}

// base notes an image that is no earlier stage.
func (r *dockerfileReader) base(env map[string]string, word string) {
	image, _ := r.expand(word, env)
	if image == "" || image == "scratch" || r.stages[strings.ToLower(image)] {
		return
	}
	for _, b := range r.out.Bases {
		if b == image {
			return
		}
	}
	r.out.Bases = append(r.out.Bases, image)
}

func (r *dockerfileReader) command(env, global, given map[string]string, c instructions.Command) error {
	switch c := c.(type) {
	case *instructions.ArgCommand:
		for _, a := range c.Args {
			if v, ok := global[a.Key]; ok && a.Value == nil {
				env[a.Key] = v
			}
		}
		r.declare(env, given, c.Args)
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			r.set(env, kv.Key, kv.Value)
		}
	case *instructions.CopyCommand:
		if c.From != "" {
			r.base(env, c.From)
			return nil
		}
		r.sources(env, c.SourcePaths)
	case *instructions.AddCommand:
		r.sources(env, c.SourcePaths)
	case *instructions.RunCommand:
		return r.mounts(env, c)
	}
	return nil
}

// mounts notes what RUN's --mount options read. BuildKit knows them after expansion only.
func (r *dockerfileReader) mounts(env map[string]string, c *instructions.RunCommand) error {
	known := true
	err := c.Expand(func(word string) (string, error) {
		v, sure := r.expand(word, env)
		known = known && sure
		return v, nil
	})
	if !known {
		r.out.Copies = append(r.out.Copies, ".")
		return nil
	}
	if err != nil {
		return parser.WithLocation(err, c.Location())
	}
	for _, m := range instructions.GetMounts(c) {
		switch {
		case m.From != "":
			r.base(env, m.From)
		case m.Type == instructions.MountTypeBind:
			r.source(m.Source)
		}
	}
	return nil
}

func (r *dockerfileReader) sources(env map[string]string, words []string) {
	for _, w := range words {
		p, sure := r.expand(w, env)
		if strings.Contains(p, "://") || strings.HasPrefix(p, "git@") {
			continue
		}
		if !sure {
			p = "."
		}
		r.source(p)
	}
}

// source notes a path of the context; the context's root is its ceiling.
func (r *dockerfileReader) source(p string) {
	if p = path.Clean("/" + p)[1:]; p == "" {
		p = "."
	}
	r.out.Copies = append(r.out.Copies, p)
}

// dockerfileError puts the file and line in front.
func dockerfileError(name string, err error) error {
	line := 0
	var at *parser.LocationError
	if errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		line = at.Locations[0][0].Start.Line
	}
	msg := err.Error()
	if i := strings.Index(msg, ": "); i >= 0 && strings.HasPrefix(msg, "dockerfile parse error on line") {
		msg = msg[i+2:]
	}
	if line == 0 {
		return fmt.Errorf("%s: %s", name, msg)
	}
	return fmt.Errorf("%s:%d: %s", name, line, msg)
}

// ignoreFiles are the .dockerignore files for a Dockerfile and a context. The first that is
// there counts: the one named after the Dockerfile (Docker's documentation, "Filename and
// location").
func ignoreFiles(dockerfile, context string) []string {
	return []string{dockerfile + ".dockerignore", path.Join(context, ".dockerignore")}
}

func (t *Tree) readIgnore(file string) (*patternmatcher.PatternMatcher, error) {
	data, err := t.Read(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}
