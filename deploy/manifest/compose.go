package manifest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
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
// and done elsewhere, or refused.
func compose(stack string, sources []*source, vars map[string]string) (c *composed, err error) {
	defer func() { // compose-go asserts types that its schema does not promise
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("a value has a type that does not belong there: %v", r)
		}
	}()
	details := types.ConfigDetails{WorkingDir: "/", Environment: maps.Clone(vars)}
	if details.Environment == nil {
		details.Environment = types.Mapping{}
	}
	for _, s := range sources {
		remove(s.root, "version") // has no effect, and compose-go logs that it has none
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
		o.SkipDefaultValues = true
		o.SkipConsistencyCheck = true // done here, all at once and with lines
		o.SkipResolveEnvironment = true
		o.SkipResolveLabels = true
		// Variables are replaced already; what is left of interpolation are its casts.
		o.Interpolate.Substitute = func(s string, _ template.Mapping) (string, error) { return s, nil }
	}}
	model, err := composeloader.LoadModelWithContext(context.Background(), details, settings...)
	if err != nil {
		return nil, err
	}
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
			n.Style &^= yaml.LiteralStyle | yaml.FoldedStyle
			if n.ShortTag() == "!!str" {
				n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
			}
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
	unknownKey   = regexp.MustCompile(`additional propert(?:y|ies) '([^']+)'`)
	validating   = regexp.MustCompile(`^validating [^:]+: `)
)

// composeError finds the place of an error of compose-go, which names paths but no lines.
func (l *loader) composeError(err error) {
	text := validating.ReplaceAllString(err.Error(), "")
	var at []string
	for k := range l.places.at {
		path := strings.Split(k, sep)
		dotted := strings.NewReplacer("[", "", "]", "").Replace(strings.Join(path, "."))
		if len(path) > len(at) && containsPath(text, dotted) {
			at = path
		}
	}
	if at == nil {
		if m := namedService.FindStringSubmatch(text); m != nil {
			at = []string{"services", m[1]}
		}
	} else {
		text = strings.TrimPrefix(text, strings.NewReplacer("[", "", "]", "").Replace(strings.Join(at, "."))+" ")
	}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		l.add(Error, append(at, m[1]), "check its spelling and its indentation", "there is no such key")
		return
	}
	l.add(Error, at, "", "%s", text)
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
