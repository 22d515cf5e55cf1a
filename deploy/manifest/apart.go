package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// Apart makes a stack of an environment's manifest that runs beside the environment itself and
// shares nothing with it but what is external: names that the manifest fixes are scoped, data
// that is written begins empty, and Swarm allots the published ports. It says what became
// another than the manifest has it.
func (m *Manifest) Apart() (notes []string) {
	for _, k := range slices.Sorted(maps.Keys(m.Project.Networks)) {
		if n := m.Project.Networks[k]; !n.External {
			n.Name = m.Stack + "_" + k
			m.Project.Networks[k] = n
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.Project.Volumes)) {
		if v := m.Project.Volumes[k]; !v.External {
			v.Name = m.Stack + "_" + k
			m.Project.Volumes[k] = v
		}
	}
	for kind, objects := range map[string]map[string]Object{"configs": m.Configs, "secrets": m.Secrets} {
		for k, o := range objects {
			if !o.External && !strings.HasPrefix(o.Name, m.Stack+"_") {
				o.Name = shorten(m.Stack + "_" + k + "_" + version(kind, o))
				objects[k] = o
			}
		}
	}
	notes = append(notes, m.OwnData()...)
	for _, k := range slices.Sorted(maps.Keys(m.Project.Services)) {
		s := m.Project.Services[k]
		for i, p := range s.Ports {
			if p.Published == "" || p.Published == "0" {
				continue
			}
			notes = append(notes, fmt.Sprintf("service %s does not publish port %s here: Swarm allots another", k, p.Published))
			s.Ports[i].Published = ""
		}
	}
	return notes
}

// OwnData gives a stack volumes of its own, empty at first, in place of what it would write to
// and does not own: directories of the node, external volumes, and those that name a device
// (NFS, a disk). What is mounted read-only stays, and so does what describes the node itself.
func (m *Manifest) OwnData() (notes []string) {
	for _, name := range slices.Sorted(maps.Keys(m.Project.Services)) {
		s := m.Project.Services[name]
		for i, v := range s.Volumes {
			own, what := m.own(v)
			if own == "" {
				continue
			}
			notes = append(notes, fmt.Sprintf("service %s has an empty volume at %s, and not %s", name, v.Target, what))
			if m.Project.Volumes == nil {
				m.Project.Volumes = types.Volumes{}
			}
			m.Project.Volumes[own] = types.VolumeConfig{Name: m.Stack + "_" + own}
			s.Volumes[i] = types.ServiceVolumeConfig{Type: types.VolumeTypeVolume, Source: own, Target: v.Target, Volume: v.Volume}
		}
	}
	return notes
}

// own is the key of the volume that is to stand for a mount, "" where the mount may stay.
func (m *Manifest) own(v types.ServiceVolumeConfig) (key, what string) {
	switch {
	case v.ReadOnly:
	case v.Type == types.VolumeTypeBind && !hostOnly(v.Source) && path.Ext(v.Source) != ".sock":
		return "dir-" + slug(v.Source), "the directory " + v.Source
	case v.Type == types.VolumeTypeVolume || v.Type == "" || v.Type == types.VolumeTypeCluster:
		declared, known := m.Project.Volumes[v.Source]
		switch {
		case !known:
		case bool(declared.External):
			return "own-" + slug(v.Source), "the external volume " + declared.Name
		case declared.DriverOpts["device"] != "":
			return "own-" + slug(v.Source), "the volume " + v.Source + " on " + declared.DriverOpts["device"]
		}
	}
	return "", ""
}

// slug is a part of a volume's name, another for each text.
func slug(text string) string {
	plain := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, text), "-")
	sum := sha256.Sum256([]byte(text))
	return plain[max(0, len(plain)-40):] + "-" + hex.EncodeToString(sum[:3])
}
