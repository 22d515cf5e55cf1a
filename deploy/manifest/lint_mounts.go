package manifest

import (
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// mounts checks volumes and tmpfs.
func (s *service) mounts() {
	targets := map[string]bool{}
	for _, v := range s.Volumes {
		v.Target = path.Clean(v.Target)
		say := func(sev Severity, do, format string, args ...any) {
			s.sayItem(sev, "volumes", v.Target, do, format, args...)
		}
		if targets[v.Target] {
			say(Error, "mount one thing there", "something else is mounted at %s already", v.Target)
		}
		targets[v.Target] = true
		if !path.IsAbs(v.Target) && v.Type != types.VolumeTypeNamedPipe {
			say(Error, "write where it is in the container, from / on", "%q is no absolute path", v.Target)
		}
		s.mount(v, say)
		s.host(v, say)
	}
	for _, t := range s.Tmpfs {
		target, _, _ := strings.Cut(t, ":")
		if targets[path.Clean(target)] {
			s.sayItem(Error, "tmpfs", target, "mount one thing there", "something else is mounted at %s already", target)
		}
		targets[path.Clean(target)] = true
		if _, err := ParseTmpfs(t); err != nil {
			s.sayItem(Error, "tmpfs", target, "write it as /path:size=64m,mode=1777", "%v", err)
		}
	}
}

func (s *service) mount(v types.ServiceVolumeConfig, say func(sev Severity, do, format string, args ...any)) {
	switch v.Type {
	case types.VolumeTypeBind:
		switch {
		case v.Source == "":
			say(Error, "write source:", "a bind mount needs a directory on the node")
		case !path.IsAbs(v.Source):
			say(Error, "write an absolute path that is on the node, or make it a config", "%s would be a path on the machine that deploys, and not on the node", v.Source)
		case v.Source == "/var/run/docker.sock" || v.Source == "/run/docker.sock" || hostOnly(v.Source):
			return // the same on every node
		default:
			s.unplaced(say, "the directory %s is on one node", v.Source)
		}
	case types.VolumeTypeVolume, "":
		volume, known := s.m.Project.Volumes[v.Source]
		switch {
		case v.Source == "":
			say(Warning, "name a volume", "an anonymous volume is a new one for every task")
		case !known:
			say(Error, "declare it under volumes:", "there is no volume %s", v.Source)
		case volume.Driver == "" || volume.Driver == "local":
			if volume.DriverOpts["type"] == "nfs" || volume.DriverOpts["type"] == "cifs" {
				return
			}
			s.unplaced(say, "the volume %s is a different one on each node", v.Source)
		}
	case types.VolumeTypeTmpfs:
		if v.Source != "" {
			say(Error, "remove source:", "a tmpfs has no source")
		}
	case types.VolumeTypeNamedPipe, types.VolumeTypeImage, types.VolumeTypeCluster:
		if v.Source == "" {
			say(Error, "write source:", "a mount of type %s needs a source", v.Type)
		}
		if _, known := s.m.Project.Volumes[v.Source]; v.Type == types.VolumeTypeCluster && !known && !strings.HasPrefix(v.Source, "group:") {
			say(Error, "declare it under volumes:", "there is no volume %s", v.Source)
		}
	default:
		say(Error, "use bind, volume, tmpfs, npipe, image or cluster", "there is no mount type %q", v.Type)
	}
	for _, o := range []struct {
		set         bool
		key, belong string
	}{
		{v.Bind != nil && v.Bind.Propagation+v.Bind.Recursive != "" && v.Type != types.VolumeTypeNamedPipe, "bind", types.VolumeTypeBind},
		{v.Volume != nil, "volume", types.VolumeTypeVolume},
		{v.Tmpfs != nil, "tmpfs", types.VolumeTypeTmpfs},
		{v.Image != nil, "image", types.VolumeTypeImage},
	} {
		if o.set && v.Type != o.belong && (v.Type != "" || o.belong != types.VolumeTypeVolume) {
			say(Error, "remove "+o.key+":", "a mount of type %s has no %s options", v.Type, o.key)
		}
	}
}

// hostOnly tells directories that describe the node itself: monitoring mounts them, and
// every node has its own.
func hostOnly(source string) bool {
	for _, p := range []string{"/proc", "/sys", "/dev", "/etc/localtime", "/etc/timezone", "/var/lib/docker", "/var/run", "/run"} {
		if source == p || strings.HasPrefix(source, p+"/") {
			return true
		}
	}
	return source == "/"
}

// unplaced warns of data that stays behind when a task moves to another node.
func (s *service) unplaced(say func(sev Severity, do, format string, args ...any), what string, source string) {
	if s.deploy.Mode == "global" || s.deploy.Mode == "global-job" {
		return
	}
	if slices.ContainsFunc(s.deploy.Placement.Constraints, func(c string) bool { return strings.Contains(c, "==") }) {
		return
	}
	say(Warning, "pin the service with deploy.placement.constraints, such as node.hostname == NAME",
		what+", and no placement constraint keeps the service there: on a Swarm of several nodes its data is lost when it moves", source)
}
