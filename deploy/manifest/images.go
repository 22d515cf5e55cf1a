package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/distribution/reference"
)

// imageLookup is the lookup for a service's image as the manifest writes it: ${TAG} is that
// image's own.
func (l *loader) imageLookup(service, text string) func(string) (string, bool) {
	name := l.imageName(text)
	return func(variable string) (string, bool) {
		if variable == "TAG" {
			for _, k := range []string{service, name} {
				if tag, ok := l.Images[k]; ok {
					return tag, true
				}
			}
			if l.Tag != nil {
				if tag, ok := l.Tag(name); ok {
					return tag, true
				}
			}
		}
		return l.lookup(variable)
	}
}

// imageName is an image's name without registry and tag: "${REGISTRY}/shop/ping:${TAG}" is
// "shop/ping".
func (l *loader) imageName(text string) string {
	const mark = "\x00"
	e := &expansion{lookup: func(v string) (string, bool) {
		switch v {
		case "REGISTRY":
			return mark, true
		case "TAG":
			return "", true
		}
		return l.lookup(v)
	}}
	text = e.expand(text)
	text, _, _ = strings.Cut(text, "@")
	text = strings.TrimPrefix(text, mark+"/")
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, '/') {
		text = text[:i]
	}
	return text
}

// images applies Options.Images and checks each service's image.
func (l *loader) images(m *Manifest) {
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(m.Project.Services)) {
		s := m.Project.Services[name]
		at := []string{"services", name, "image"}
		if s.Image == "" {
			l.noImage(name, s)
			continue
		}
		ref, err := reference.ParseNormalizedNamed(s.Image)
		if err != nil {
			l.add(Error, at, "an image is REGISTRY/NAME:TAG, in lower case but for the tag", "%q is no image: %v", s.Image, err)
			for _, k := range []string{name, l.shortName(s.Image)} {
				used[k] = true
			}
			continue
		}
		for _, k := range []string{name, l.shortName(s.Image)} {
			tag, ok := l.Images[k]
			if !ok {
				continue
			}
			used[k] = true
			tagged, err := reference.WithTag(reference.TrimNamed(ref), tag)
			if err != nil {
				l.add(Error, at, "a tag has letters, digits, _, . and -, 128 at most", "%q cannot be this image's tag", tag)
				break
			}
			s.Image = reference.FamiliarString(tagged)
			break
		}
		m.Project.Services[name] = s
	}
	for _, k := range slices.Sorted(maps.Keys(l.Images)) {
		if !used[k] {
			l.addAt(Error, l.Files[0], 0, nil, "name a service of the manifest or its image", "a tag is given for %s, but nothing here is called so", k)
		}
	}
}

// shortName is an expanded image's name without the deploy's registry and the tag.
func (l *loader) shortName(image string) string {
	name := l.imageName(image)
	if r, ok := l.lookup("REGISTRY"); ok && r != "" {
		name = strings.TrimPrefix(name, r+"/")
	}
	return name
}

func (l *loader) noImage(service string, s types.ServiceConfig) {
	at := []string{"services", service}
	if s.Build != nil {
		l.add(Error, append(at, "build"), "write image: as well, and have the image pushed", "Swarm builds nothing, and no image is named")
		return
	}
	l.add(Error, at, "write image:", "it has no image")
}
