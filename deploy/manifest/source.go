package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// source is one file of a manifest, parsed but not yet understood.
type source struct {
	file string
	root *yaml.Node // a mapping
}

// yamlLine finds the line in the parser's errors, which have it in several forms.
var yamlLine = regexp.MustCompile(`^yaml: (.*?)(?: at)? ?line (\d+)(?:, column \d+)?:? ?`)

// parse reads the files. What cannot be read or is not YAML becomes a finding.
func (l *loader) parse() []*source {
	if len(l.Files) == 0 {
		l.addAt(Error, "", 0, nil, "name the environment's manifest", "there is no manifest to load")
	}
	var sources []*source
	for _, file := range l.Files {
		data, err := fs.ReadFile(l.FS, file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			l.addAt(Error, file, 0, nil, "each environment has a manifest of its own: write it, or check the environment's name",
				"there is no such file")
			continue
		case err != nil:
			l.addAt(Error, file, 0, nil, "", "cannot be read: %v", cause(err))
			continue
		}
		if s := l.parseOne(file, data); s != nil {
			sources = append(sources, s)
		}
	}
	return sources
}

func (l *loader) parseOne(file string, data []byte) *source {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) || (err == nil && len(doc.Content) == 0) {
		l.addAt(Error, file, 0, nil, "write its services", "the file is empty")
		return nil
	} else if err != nil {
		l.yamlError(file, err)
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		l.addAt(Error, file, root.Line, nil, "a manifest starts with keys such as services:", "the file is not a mapping")
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		l.addAt(Error, file, second.Line, nil, "put it into a file of its own, as an override", "the file has a second YAML document")
		return nil
	} else if !errors.Is(err, io.EOF) {
		l.yamlError(file, err)
		return nil
	}
	return &source{file: file, root: root}
}

func (l *loader) yamlError(file string, err error) {
	text, line := err.Error(), 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[2])
		text = text[len(m[0]):]
		if m[1] != "" {
			text = m[1] + ": " + text
		}
	}
	l.addAt(Error, file, line, nil, "", "not valid YAML: %s", text)
}

// read gives a file that the manifest names. The error is a sentence without the name.
func (l *loader) read(name string) ([]byte, error) {
	if path.IsAbs(name) {
		return nil, errors.New("is an absolute path: only files beside the manifests are read")
	}
	full := path.Join(l.dir(), name)
	if !fs.ValidPath(full) {
		return nil, errors.New("lies outside the repository: only files inside it are read")
	}
	data, err := fs.ReadFile(l.FS, full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("does not exist (looked for %s)", full)
	} else if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", cause(err))
	}
	return data, nil
}

// cause is an error without the path that fs puts in front of it.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
