package convert

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/manifest"
)

func (c *converter) configs() (own []swarm.ConfigSpec, external []string) {
	for _, o := range byName(c.m.Configs) {
		if o.External {
			external = append(external, o.Name)
			continue
		}
		own = append(own, swarm.ConfigSpec{
			Annotations: swarm.Annotations{Name: o.Name, Labels: c.labels(o.Labels)},
			Data:        []byte(o.Data.Reveal()), Templating: driver(o.TemplateDriver, nil),
		})
	}
	return own, external
}

func (c *converter) secrets() (own []Secret, external []string) {
	for _, o := range byName(c.m.Secrets) {
		if o.External {
			external = append(external, o.Name)
			continue
		}
		own = append(own, Secret{Value: o.Data, Spec: swarm.SecretSpec{
			Annotations: swarm.Annotations{Name: o.Name, Labels: c.labels(o.Labels)},
			Driver:      driver(o.Driver, o.DriverOpts), Templating: driver(o.TemplateDriver, nil),
		}})
	}
	return own, external
}

// byName sorts objects by their names in the Swarm. Two keys may name one object.
func byName(all map[string]manifest.Object) []manifest.Object {
	out := slices.SortedFunc(maps.Values(all), func(a, b manifest.Object) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b manifest.Object) bool { return a.Name == b.Name })
}

func driver(name string, options map[string]string) *swarm.Driver {
	if name == "" {
		return nil
	}
	return &swarm.Driver{Name: name, Options: options}
}

// file is where and how a reference shows in the container.
type file struct {
	target, uid, gid string
	mode             fs.FileMode
}

func fileOf(r types.FileReferenceConfig) file {
	f := file{target: cmp.Or(r.Target, r.Source), uid: cmp.Or(r.UID, "0"), gid: cmp.Or(r.GID, "0"), mode: 0o444}
	if r.Mode != nil {
		f.mode = fs.FileMode(*r.Mode)
	}
	return f
}

func (c *converter) configReferences(s types.ServiceConfig) []*swarm.ConfigReference {
	var out []*swarm.ConfigReference
	for _, r := range s.Configs {
		f := fileOf(types.FileReferenceConfig(r))
		out = append(out, &swarm.ConfigReference{
			ConfigName: c.m.Configs[r.Source].Name,
			File:       &swarm.ConfigReferenceFileTarget{Name: f.target, UID: f.uid, GID: f.gid, Mode: f.mode},
		})
	}
	if s.CredentialSpec != nil && s.CredentialSpec.Config != "" {
		out = append(out, &swarm.ConfigReference{
			ConfigName: c.m.Configs[s.CredentialSpec.Config].Name, Runtime: &swarm.ConfigReferenceRuntimeTarget{},
		})
	}
	slices.SortStableFunc(out, func(a, b *swarm.ConfigReference) int {
		return cmp.Or(cmp.Compare(a.ConfigName, b.ConfigName), cmp.Compare(configTarget(a), configTarget(b)))
	})
	return out
}

func configTarget(r *swarm.ConfigReference) string {
	if r.File == nil {
		return ""
	}
	return r.File.Name
}

func (c *converter) secretReferences(s types.ServiceConfig) []*swarm.SecretReference {
	var out []*swarm.SecretReference
	for _, r := range s.Secrets {
		f := fileOf(types.FileReferenceConfig(r))
		out = append(out, &swarm.SecretReference{
			SecretName: c.m.Secrets[r.Source].Name,
			File:       &swarm.SecretReferenceFileTarget{Name: f.target, UID: f.uid, GID: f.gid, Mode: f.mode},
		})
	}
	slices.SortStableFunc(out, func(a, b *swarm.SecretReference) int {
		return cmp.Or(cmp.Compare(a.SecretName, b.SecretName), cmp.Compare(a.File.Name, b.File.Name))
	})
	return out
}

// credentialSpec has the config's name where the API wants its id: Bind replaces it.
func (c *converter) credentialSpec(s *types.CredentialSpecConfig) *swarm.CredentialSpec {
	if s == nil {
		return nil
	}
	out := &swarm.CredentialSpec{File: s.File, Registry: s.Registry}
	if s.Config != "" {
		out.Config = c.m.Configs[s.Config].Name
	}
	return out
}
