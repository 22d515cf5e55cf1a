package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"slipway/secret"
)

// Swarm's limits on the data of a config and a secret, in bytes; data has to be shorter
// (swarmkit, MaxConfigSize and MaxSecretSize).
const (
	configLimit = 1000 * 1024
	secretLimit = 500 * 1024
)

// objects makes the configs or the secrets, kind being "configs" or "secrets".
func (l *loader) objects(m *Manifest, kind string) map[string]Object {
	all := map[string]types.FileObjectConfig{}
	for k, v := range m.Project.Configs {
		if kind == "configs" {
			all[k] = types.FileObjectConfig(v)
		}
	}
	for k, v := range m.Project.Secrets {
		if kind == "secrets" {
			all[k] = types.FileObjectConfig(v)
		}
	}
	out, owner := map[string]Object{}, map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		o := l.object(m.Stack, kind, k, all[k])
		if first, ok := owner[o.Name]; ok && (out[first].External != o.External || out[first].Data != o.Data) {
			l.add(Error, []string{kind, k, "name"}, "give each a name of its own", "%s is called %s as well, and is something else", first, o.Name)
		}
		out[k], owner[o.Name] = o, k
	}
	return out
}

func (l *loader) object(stack, kind, key string, c types.FileObjectConfig) Object {
	at := []string{kind, key}
	o := Object{
		Name: c.Name, External: bool(c.External), Driver: c.Driver, DriverOpts: c.DriverOpts,
		TemplateDriver: c.TemplateDriver, Labels: c.Labels,
	}
	// compose-go fills in <stack>_<key> where there is no name.
	named := l.places.scalar(kind, key, "name") != nil
	switch {
	case o.External || o.Driver != "":
	default:
		data, ok := l.data(kind, key, c)
		if !ok {
			return o
		}
		o.Data = secret.New(string(data))
		if !named {
			o.Name = shorten(stack + "_" + key + "_" + version(kind, o))
		} else if l.fixed[kind+"."+key] == "" {
			l.add(Warning, append(at, "name"), "leave the name out, and each content gets one of its own",
				"the name is fixed, so a change of the content cannot be deployed: Swarm refuses to change a %s", kind[:len(kind)-1])
		}
	}
	if o.External && (c.File != "" || c.Content != "" || c.Environment != "") {
		l.add(Error, at, "remove one of the two", "it is external, so it cannot have a content here")
	}
	switch {
	case len(o.Name) > nameLimit:
		l.add(Error, append(at, "name"), "shorten it", "%s has %d characters, and %d are allowed", o.Name, len(o.Name), nameLimit)
	case !objectNameRule.MatchString(o.Name):
		l.add(Error, append(at, "name"), "use letters, digits, -, _ and ., with a letter or a digit at both ends", "%q cannot be the name of a %s", o.Name, kind[:len(kind)-1])
	}
	return o
}

// data reads an object's content, from the one place that the manifest says.
func (l *loader) data(kind, key string, c types.FileObjectConfig) ([]byte, bool) {
	at := []string{kind, key}
	sources := 0
	for _, s := range []string{"file", "environment", "content"} {
		if _, ok := l.places.at[strings.Join([]string{kind, key, s}, sep)]; ok {
			sources++
		}
	}
	if sources > 1 {
		l.add(Error, at, "keep one of file, environment and content", "its content comes from several places")
		return nil, false
	}
	var data []byte
	switch {
	case c.File != "":
		var err error
		if data, err = l.read(c.File); err != nil {
			l.add(Error, append(at, "file"), "add the file, or correct its path", "%s %v", c.File, err)
			return nil, false
		}
		at = append(at, "file")
	case c.Environment != "":
		v, ok := l.lookup(c.Environment)
		if !ok {
			l.add(Error, append(at, "environment"), "set it for this deploy", "%s is not defined", c.Environment)
			return nil, false
		}
		data = []byte(v)
		at = append(at, "environment")
	case sources == 0:
		l.add(Error, at, "write file: or external: true", "it has no content and is not external")
		return nil, false
	default:
		data = []byte(c.Content)
		at = append(at, "content")
	}
	limit := configLimit
	if kind == "secrets" {
		limit = secretLimit
	}
	switch {
	case len(data) == 0:
		l.add(Error, at, "Swarm stores no empty ones: write something into it", "it is empty")
		return nil, false
	case len(data) >= limit:
		l.add(Error, at, "put it into the image or a volume", "it has %d bytes, and Swarm takes less than %d", len(data), limit)
		return nil, false
	}
	return data, true
}

// version is a hash of all that cannot be changed in place. A secret's is mixed with its
// name, so that equal secrets do not show as such.
func version(kind string, o Object) string {
	h := sha256.New()
	if kind == "secrets" {
		h.Write([]byte("secret\x00" + o.Name + "\x00"))
	}
	if o.TemplateDriver != "" {
		h.Write([]byte("template\x00" + o.TemplateDriver + "\x00"))
	}
	h.Write([]byte(o.Data.Reveal()))
	return hex.EncodeToString(h.Sum(nil))[:12]
}
