package manifest

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"

	composeloader "github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// composed is what compose-go made of the sources.
type composed struct {
	model   map[string]any // merged, by path; has what the typed project rounds or defaults
	project *types.Project
}

// compose merges the expanded sources. It does no I/O: all that would read a file is off
// and done elsewhere, or refused. check sees the merged model, and may mend it, before types
// round or refuse its values.
func compose(stack string, sources []*source, check func(model map[string]any)) (c *composed, err error) {
	defer func() { // compose-go asserts types that its schema does not promise
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("a value has a type that does not belong there: %v", r)
		}
	}()
	// The deploy's variables stay here: compose-go would keep them, secrets among them, in the
	// project, where printing shows them.
	details := types.ConfigDetails{WorkingDir: "/", Environment: types.Mapping{}}
	for _, s := range sources {
		data, err := plainYAML(s.root)
		if err != nil {
			return nil, err
		}
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: s.file, Content: data})
	}
	settings := []func(*composeloader.Options){func(o *composeloader.Options) {
		o.SetProjectName(stack, true)
		o.ResolvePaths = false
		o.SkipInclude = true
		o.SkipValidation = true // done before, file by file, and after, with lines
		o.SkipDefaultValues = true
		o.SkipConsistencyCheck = true // done here, all at once and with lines
		o.SkipResolveEnvironment = true
		o.SkipResolveLabels = true
		o.Profiles = []string{"*"} // so that a service with a profile is seen, and refused
		// Variables are replaced already; what is left of interpolation are its casts.
		o.Interpolate.Substitute = func(s string, _ template.Mapping) (string, error) { return s, nil }
	}}
	model, err := composeloader.LoadModelWithContext(context.Background(), details, settings...)
	if err != nil {
		return nil, err
	}
	check(model)
	c = &composed{model: copyModel(model).(map[string]any)}
	c.project, err = composeloader.ModelToProject(model, composeloader.ToOptions(&details, settings), details)
	return c, err
}

// plainYAML writes a tree for compose-go. Strings are quoted, so that what a variable
// brought in stays a string ("true", "1e3"); comments, which could be written back in a
// wrong place, go.
func plainYAML(root *yaml.Node) ([]byte, error) {
	seen := map[*yaml.Node]bool{}
	var plain func(n *yaml.Node)
	plain = func(n *yaml.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		n.HeadComment, n.LineComment, n.FootComment = "", "", ""
		if n.Kind == yaml.ScalarNode {
			switch n.ShortTag() {
			case "!!str":
				n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
			case "!!null":
				n.Value, n.Style = "null", 0
			}
		} else {
			n.Style &^= yaml.FlowStyle
		}
		for _, c := range n.Content {
			plain(c)
		}
	}
	plain(root)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// remove takes a key out of a mapping.
func remove(n *yaml.Node, name string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return
		}
	}
}

// copyModel copies maps and lists, since building the project eats the model.
func copyModel(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = copyModel(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copyModel(e)
		}
		return out
	}
	return v
}

var (
	namedService = regexp.MustCompile(`service "?([A-Za-z0-9._-]+)"?`)
	badCast      = regexp.MustCompile(`^error while interpolating \S+: failed to cast to expected type: (?:strconv\.\w+: parsing ("(?:[^"\\]|\\.)*"): .*|(.*))`)
	// decoding is a line of mapstructure's: 'services[web].deploy.x' what is wrong.
	decoding   = regexp.MustCompile(`^'([^']+)' (.*)`)
	unknownKey = regexp.MustCompile(`^(\S*) ?additional propert(?:y|ies) '([^']+)'.* not allowed$`)
	dotted     = strings.NewReplacer("[", "", "]", "")
)

// composeError finds the places of errors of compose-go, which names paths but no lines.
func (l *loader) composeError(err error) {
	for _, text := range strings.Split(err.Error(), "\n") {
		if text != "" && !strings.HasPrefix(text, "decoding failed due to") {
			l.composeLine(text)
		}
	}
}

// composeLine reports one of them and gives the path that it names, nil where it names none.
func (l *loader) composeLine(text string) (at []string) {
	if m := decoding.FindStringSubmatch(text); m != nil {
		text = strings.NewReplacer("[", ".", "]", "").Replace(m[1]) + " " + m[2]
	}
	unknown := func(at []string) []string {
		l.add(Error, at, "check its spelling and its indentation", "there is no such key")
		return at
	}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		return unknown(strings.FieldsFunc(m[1]+"."+m[2], func(r rune) bool { return r == '.' }))
	}
	for k := range l.places.at {
		path := strings.Split(k, sep)
		if len(path) > len(at) && containsPath(text, dotted.Replace(strings.Join(path, "."))) {
			at = path
		}
	}
	if m := namedService.FindStringSubmatch(text); at == nil && m != nil {
		at = []string{"services", m[1]}
	}
	rest := strings.TrimLeft(strings.TrimPrefix(text, dotted.Replace(strings.Join(at, "."))), ": ")
	if m := badCast.FindStringSubmatch(rest); m != nil && m[1] != "" {
		rest = m[1] + " is no number"
	} else if m != nil {
		rest = m[2]
	}
	if rest == "false schema" {
		return unknown(at)
	}
	l.add(Error, at, "", "%s", rest)
	return at
}

// containsPath tells whether a text names a path as a whole.
func containsPath(text, path string) bool {
	i := strings.Index(text, path)
	if i < 0 {
		return false
	}
	end := i + len(path)
	return (i == 0 || text[i-1] == ' ' || text[i-1] == '\'') &&
		(end == len(text) || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", rune(text[end])))
}
