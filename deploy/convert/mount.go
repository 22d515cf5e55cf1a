package convert

import (
	"cmp"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/moby/api/types/mount"

	"slipway/deploy/manifest"
)

// mounts are the volumes and tmpfs of a service, sorted by where they go: their order in a
// manifest means nothing, and a merge may change it.
func (c *converter) mounts(key string, s types.ServiceConfig) []mount.Mount {
	var out []mount.Mount
	for _, v := range s.Volumes {
		out = append(out, c.mount(v))
	}
	for _, text := range s.Tmpfs {
		t, err := manifest.ParseTmpfs(text)
		if err != nil {
			c.fail([]string{"services", key, "tmpfs"}, "%v", err)
			continue
		}
		m := mount.Mount{Type: mount.TypeTmpfs, Target: t.Target, ReadOnly: t.ReadOnly}
		if t.Size > 0 || t.Mode > 0 {
			m.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: t.Size, Mode: t.Mode}
		}
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b mount.Mount) int { return cmp.Compare(a.Target, b.Target) })
	return out
}

func (c *converter) mount(v types.ServiceVolumeConfig) mount.Mount {
	out := mount.Mount{
		Type: mount.Type(cmp.Or(v.Type, types.VolumeTypeVolume)), Source: v.Source, Target: path.Clean(v.Target),
		ReadOnly: v.ReadOnly, Consistency: mount.Consistency(v.Consistency),
	}
	switch out.Type {
	case mount.TypeBind, mount.TypeNamedPipe:
		out.BindOptions = bindOptions(v.Bind)
	case mount.TypeTmpfs:
		if v.Tmpfs != nil {
			out.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: int64(v.Tmpfs.Size), Mode: fs.FileMode(v.Tmpfs.Mode)}
		}
	case mount.TypeImage:
		if v.Image != nil {
			out.ImageOptions = &mount.ImageOptions{Subpath: v.Image.SubPath}
		}
	case mount.TypeCluster:
		out.ClusterOptions = &mount.ClusterOptions{}
		if !strings.HasPrefix(v.Source, "group:") { // a group is the Swarm's, and not the stack's
			out.Source = c.m.Project.Volumes[v.Source].Name
		}
	case mount.TypeVolume:
		c.volume(v, &out)
	}
	return out
}

// bindOptions leaves create_host_path alone: Swarm's default, to refuse a task whose
// directory is missing, tells of a mistake, and older daemons have no such option.
func bindOptions(b *types.ServiceVolumeBind) *mount.BindOptions {
	if b == nil || b.Propagation == "" && b.Recursive == "" {
		return nil
	}
	return &mount.BindOptions{
		Propagation:            mount.Propagation(b.Propagation),
		NonRecursive:           b.Recursive == "disabled",
		ReadOnlyNonRecursive:   b.Recursive == "writable",
		ReadOnlyForceRecursive: b.Recursive == "readonly",
	}
}

// volume fills in what the declaration under volumes: says.
func (c *converter) volume(v types.ServiceVolumeConfig, out *mount.Mount) {
	if v.Source == "" {
		return // anonymous
	}
	declared := c.m.Project.Volumes[v.Source]
	out.Source = declared.Name
	out.VolumeOptions = &mount.VolumeOptions{}
	if v.Volume != nil {
		out.VolumeOptions.NoCopy = v.Volume.NoCopy
		out.VolumeOptions.Subpath = v.Volume.Subpath
	}
	if declared.External {
		return
	}
	labels := map[string]string{}
	maps.Copy(labels, declared.Labels)
	if v.Volume != nil {
		maps.Copy(labels, v.Volume.Labels)
	}
	out.VolumeOptions.Labels = c.labels(labels)
	if declared.Driver != "" || declared.DriverOpts != nil {
		out.VolumeOptions.DriverConfig = &mount.Driver{Name: declared.Driver, Options: declared.DriverOpts}
	}
}
