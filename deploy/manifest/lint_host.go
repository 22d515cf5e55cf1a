package manifest

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// host refuses a mount that gives the service the node itself, unless Options.Mounts allows it
// by name.
func (s *service) host(v types.ServiceVolumeConfig, say func(sev Severity, do, format string, args ...any)) {
	source, readOnly := s.ofTheNode(v)
	why := power(oneName(source), readOnly)
	if why == "" || s.allowed(oneName(source), readOnly) {
		return
	}
	name := source
	if readOnly {
		name += ":ro"
	}
	say(Error, fmt.Sprintf("mount less, or allow it by name in slipway.yaml: environments.%s.mounts: [%s]", cmp.Or(s.Origin, s.Env), name), "%s is %s", source, why)
}

// ofTheNode is the path of the node that a mount brings, "" for none, and whether it is only to
// be read. A local volume can be a bind mount by another name.
func (s *service) ofTheNode(v types.ServiceVolumeConfig) (source string, readOnly bool) {
	switch v.Type {
	case types.VolumeTypeBind:
		if path.IsAbs(v.Source) {
			return path.Clean(v.Source), v.ReadOnly
		}
	case types.VolumeTypeNamedPipe:
		return v.Source, v.ReadOnly
	case types.VolumeTypeVolume, "":
		volume := s.m.Project.Volumes[v.Source]
		if t := volume.DriverOpts["type"]; strings.HasPrefix(t, "nfs") || t == "cifs" {
			return "", false // on another machine
		}
		if device := volume.DriverOpts["device"]; (volume.Driver == "" || volume.Driver == "local") && path.IsAbs(device) {
			return path.Clean(device), v.ReadOnly || slices.Contains(strings.Split(volume.DriverOpts["o"], ","), "ro")
		}
	}
	return "", false
}

// allowed looks for exactly this mount: who may have a directory was not asked about what is in
// it, and "/data:ro" is only to be read.
func (s *service) allowed(source string, readOnly bool) bool {
	return slices.ContainsFunc(s.Mounts, func(one string) bool {
		one, only := strings.CutSuffix(one, ":ro")
		return oneName(one) == source && (readOnly || !only)
	})
}

// oneName is a path in the form that the lists below have. /var/run is a link to /run on each
// Linux of today.
func oneName(p string) string {
	if !path.IsAbs(p) {
		return p
	}
	p = path.Clean(p)
	if rest, ok := strings.CutPrefix(p, "/var/run"); ok && (rest == "" || rest[0] == '/') {
		return "/run" + rest
	}
	return p
}

// sockets take orders of whoever can connect, also where the mount is read-only.
var sockets = []string{"docker.sock", "containerd.sock", "podman.sock", "crio.sock"}

// guarded are directories of which a look is enough: keys, passwords, other services' data.
var guarded = []string{"/root", "/run/docker", "/run/containerd", "/run/secrets", "/run/systemd", "/var/lib/docker", "/var/lib/containerd",
	"/etc/docker", "/etc/ssh", "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d"}

// written are those with which whoever writes there rules the node.
var written = []string{"/proc", "/sys", "/dev", "/boot", "/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local/bin", "/usr/local/sbin", "/var/spool/cron",
	"/etc/passwd", "/etc/group", "/etc/crontab", "/etc/cron.d", "/etc/systemd", "/etc/profile.d", "/etc/pam.d", "/etc/ld.so.preload"}

// whole are directories that belong to all of the node, and never to one service.
var whole = []string{"/home", "/run", "/var", "/var/lib", "/etc"}

// power says what a mount of this path gives beyond its files, "" for nothing.
func power(source string, readOnly bool) string {
	pipe := strings.HasPrefix(strings.ReplaceAll(strings.ToLower(source), "/", `\`), `\\.\pipe\docker`)
	switch {
	case source == "":
	case source == "/":
		return "the whole node, with the Docker daemon's socket and everybody's keys, also where it is only read"
	case slices.Contains(sockets, path.Base(source)), pipe:
		return "what the Docker daemon takes orders on: whoever has it is root on the node, and a mount that is only read does not change that"
	case path.Base(source) == ".ssh", slices.ContainsFunc(guarded, func(dir string) bool { return within(source, dir) }):
		return "where the node keeps keys, passwords or the data of all services"
	case slices.Contains(whole, source):
		return "the node's own, with what others keep there"
	case slices.ContainsFunc(written, func(dir string) bool { return within(dir, source) || within(source, dir) }) && !readOnly:
		return "the node's own, and whoever writes there rules it"
	}
	return ""
}

func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
