package pipeline

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/patternmatcher/ignorefile"
)

// Part is a file, or some that are read together, of which not every change counts for the
// service: go.mod's lines for other services, another's settings.
type Part struct {
	Files []string `json:"files"` // they need not be there
	// What is what counts, for people: "settings of ping".
	What string `json:"what"`

	key   string // equal for equal readings, in other services too
	value string // what counts of the files as they are now, in lines
	read  func(reading) ([]string, error)
}

// reading gives the content of a part's file, as of now or of some commit; false where it is
// not there.
type reading func(file string) (data []byte, there bool, err error)

// part makes a part and reads it. key tells apart what read depends on beside its files.
func (t *Tree) part(what, key string, files []string, read func(reading) ([]string, error)) Part {
	p := Part{Files: files, What: what, key: key + " " + strings.Join(files, " "), read: read}
	p.value = remember(&t.memo, &t.memo.parts, p.key, func() string { return p.of(t.reading()) })
	return p
}

// of is what counts, of any state of the files. What cannot be read counts whole.
func (p *Part) of(r reading) string {
	lines, err := p.read(r)
	if err != nil {
		lines = nil
		for _, f := range p.Files {
			lines = append(lines, whole(f, r))
		}
	}
	return strings.Join(lines, "\n")
}

// whole names a file's content.
func whole(file string, r reading) string {
	data, there, err := r(file)
	switch {
	case err != nil:
		return fmt.Sprintf("%s: %v", file, err)
	case !there:
		return file + " is not there"
	}
	return fmt.Sprintf("%s with the content %x", file, sha256.Sum256(data))
}

func (t *Tree) reading() reading {
	return func(file string) ([]byte, bool, error) {
		if !t.Has(file) {
			return nil, false, nil
		}
		data, err := t.Read(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, false, nil
		}
		return data, err == nil, err
	}
}

// presence is a part that a file is only by being there.
func (t *Tree) presence(file string) Part {
	return t.part("whether it is there", "presence", []string{file}, func(r reading) ([]string, error) {
		if _, there, err := r(file); err != nil || !there {
			return nil, err
		}
		return []string{file + " is there"}, nil
	})
}

// settingsPart is what slipway.yaml says of how the service is built. What an image is
// called, and where things are deployed, is no input.
func (m *maker) settingsPart() Part {
	t, name, code := m.repo.Tree, m.service.Name, m.service.Main != ""
	return t.part("settings of "+name, fmt.Sprintf("settings %s %t", name, code), []string{SettingsFile}, func(r reading) ([]string, error) {
		data, _, err := r(SettingsFile)
		if err != nil {
			return nil, err
		}
		s, err := t.settings(data)
		if err != nil {
			return nil, err
		}
		o := s.Services[name]
		lines := []string{"services_dir: " + s.ServicesDir}
		for _, kv := range [][2]string{{"main", o.Main}, {"dockerfile", o.Dockerfile}, {"context", o.Context}} {
			if kv[1] != "" {
				lines = append(lines, kv[0]+": "+path.Clean(kv[1]))
			}
		}
		if image := first(o.Toolchain, s.Toolchain); code && image != "" {
			lines = append(lines, "toolchain: "+image)
		}
		for _, k := range sortedKeys(o.Args) {
			v, err := json.Marshal(o.Args[k])
			if err != nil {
				return nil, err
			}
			lines = append(lines, "args: "+k+": "+string(v))
		}
		return lines, nil
	})
}

// settings parses a slipway.yaml once for all services.
func (t *Tree) settings(data []byte) (*Settings, error) {
	r := remember(&t.memo, &t.memo.settings, string(data), func() settingsRead {
		s, err := ParseSettings(data)
		return settingsRead{s, err}
	})
	return r.settings, r.err
}

// ignorePart are the patterns of the ignore file that can match something which the
// Dockerfile copies. One that matches neither a path nor a directory above it changes
// nothing for that path. Of the files the first that is there counts.
func (t *Tree) ignorePart(files, copies []string) Part {
	return t.part("patterns for what is copied", "ignore "+strings.Join(copies, "\x00"), files, func(r reading) ([]string, error) {
		for _, file := range files {
			data, there, err := r(file)
			if err != nil {
				return nil, err
			}
			if !there {
				continue
			}
			patterns, err := ignorefile.ReadAll(strings.NewReader(string(data)))
			if err != nil {
				return nil, err
			}
			return slices.DeleteFunc(patterns, func(p string) bool {
				return !slices.ContainsFunc(copies, func(c string) bool { return mayMeet(strings.TrimPrefix(p, "!"), c) })
			}), nil
		}
		return nil, nil
	})
}

// contextPart is whether the service's directory is a build context of its own.
func (m *maker) contextPart() Part {
	files := ownContext(m.service.Dir)
	return m.repo.Tree.part("whether it is a build context of its own", "context", files, func(r reading) ([]string, error) {
		for _, f := range files {
			if _, there, err := r(f); there || err != nil {
				return []string{"the build context is " + m.service.Dir}, err
			}
		}
		return nil, nil
	})
}

// mayMeet reports whether a pattern of an ignore file could match something at, below or
// above what a COPY pattern takes.
func mayMeet(pattern, copied string) bool {
	a, b := strings.Split(pattern, "/"), strings.Split(copied, "/")
	for i := range min(len(a), len(b)) {
		if strings.Contains(a[i], "**") || b[i] == "." || strings.ContainsAny(b[i], `*?[\`) {
			return true
		}
		if ok, err := path.Match(a[i], b[i]); err != nil {
			return true
		} else if !ok {
			return false
		}
	}
	return true
}
