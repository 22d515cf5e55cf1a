package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// refusal is a key that Swarm has nothing for. Docker's own CLI drops most of them silently,
// and the service then runs without what its author relied on.
type refusal struct {
	path string // below a service, "*" for any entry of a list or mapping
	do   string
}

// refusals is every key of the compose specification that a Swarm service cannot have.
var refusals = []refusal{
	{"annotations", "use labels"},
	{"blkio_config", "Swarm limits CPUs, memory and processes only"},
	{"cgroup", ""},
	{"cgroup_parent", ""},
	{"container_name", "remove it: Swarm names the containers of its tasks"},
	{"cpu_count", "write deploy.resources.limits.cpus"},
	{"cpu_percent", "write deploy.resources.limits.cpus"},
	{"cpu_period", "write deploy.resources.limits.cpus"},
	{"cpu_quota", "write deploy.resources.limits.cpus"},
	{"cpu_rt_period", ""},
	{"cpu_rt_runtime", ""},
	{"cpu_shares", "write deploy.resources.reservations.cpus"},
	{"cpus", "write deploy.resources.limits.cpus"},
	{"cpuset", "write deploy.resources.limits.cpus"},
	{"deploy.resources.limits.devices", "use generic_resources"},
	{"deploy.resources.limits.generic_resources", "write them under reservations"},
	{"deploy.resources.reservations.devices", "use generic_resources"},
	{"deploy.resources.reservations.pids", "write deploy.resources.limits.pids"},
	{"device_cgroup_rules", ""},
	{"devices", "use a bind mount where that is enough"},
	{"domainname", "write the whole name as hostname"},
	{"external_links", "put both services on one network"},
	{"gpus", "use deploy.resources.reservations.generic_resources"},
	{"ipc", ""},
	{"label_file", "write the labels here"},
	{"links", "services on one network reach each other by name: remove it, or use a network alias"},
	{"mac_address", ""},
	{"mem_limit", "write deploy.resources.limits.memory"},
	{"mem_reservation", "write deploy.resources.reservations.memory"},
	{"mem_swappiness", ""},
	{"memswap_limit", ""},
	{"models", ""},
	{"network_mode", "write networks:"},
	{"networks.*.gw_priority", ""},
	{"networks.*.interface_name", ""},
	{"networks.*.ipv4_address", "Swarm chooses addresses: use the service's name"},
	{"networks.*.ipv6_address", "Swarm chooses addresses: use the service's name"},
	{"networks.*.link_local_ips", ""},
	{"networks.*.mac_address", ""},
	{"networks.*.priority", ""},
	{"oom_kill_disable", ""},
	{"pid", ""},
	{"pids_limit", "write deploy.resources.limits.pids"},
	{"ports.*.app_protocol", "remove it"},
	{"ports.*.host_ip", "Swarm publishes on every address of a node: close the port with a firewall instead"},
	{"post_start", ""},
	{"pre_start", "make it a service with deploy.mode: replicated-job that this one depends on"},
	{"pre_stop", ""},
	{"privileged", "add the capabilities that it needs with cap_add"},
	{"profiles", "put the service into an override file"},
	{"provider", ""},
	{"runtime", "set the daemon's default runtime"},
	{"scale", "write deploy.replicas"},
	{"security_opt", ""},
	{"shm_size", "mount a tmpfs of that size at /dev/shm"},
	{"storage_opt", ""},
	{"umask", ""},
	{"use_api_socket", "bind-mount /var/run/docker.sock"},
	{"userns_mode", ""},
	{"uts", ""},
	{"volume_driver", "write driver: for the volume, under volumes:"},
	{"volumes.*.bind.selinux", "label the directory on the node"},
	{"volumes_from", "name the volume under volumes: and mount it in both"},
}

// topRefusals are keys beside services that say something about the whole.
var topRefusals = map[string]string{
	"include": "give the file as an override",
	"jobs":    "write a service with deploy.mode: replicated-job",
	"models":  "",
}

// idle are keys that do no harm but have no effect on Swarm.
var idle = map[string]string{
	"attach":      "it is for docker compose up",
	"develop":     "it is for docker compose watch",
	"expose":      "services on one network reach all ports of each other",
	"pull_policy": "Swarm pulls what a node does not have, by its digest",
}

// structure looks at the sources before they are merged, for what compose-go would act on.
func (l *loader) structure() {
	for _, k := range slices.Sorted(maps.Keys(topRefusals)) {
		if _, ok := l.places.at[k]; ok {
			l.add(Error, []string{k}, topRefusals[k], "Swarm has nothing for it")
		}
	}
	if n := l.places.scalar("name"); n != nil && n.Value != l.Project+"_"+l.Env {
		l.add(Warning, []string{"name"}, "remove it", "it has no effect: the stack is called %s_%s, for the project and the environment", l.Project, l.Env)
	}
	for _, s := range l.places.keys("services") {
		if l.places.scalar("services", s, "extends", "file") != nil {
			l.add(Error, []string{"services", s, "extends", "file"}, "give the file as an override, or extend a service of this file", "services of other files cannot be extended")
		}
	}
	if len(l.places.keys("services")) == 0 {
		l.add(Error, []string{"services"}, "write at least one", "there are no services")
	}
}

// unsupported reports what a service says and Swarm cannot do.
func (l *loader) unsupported(name string, service any) {
	for _, r := range refusals {
		each(service, strings.Split(r.path, "."), nil, func(at []string, v any) {
			if isZero(v) {
				return
			}
			full := append([]string{"services", name}, at...)
			file, line := l.places.find(full...)
			if len(at) > 2 && strings.HasPrefix(at[1], "[") {
				// Merging moves entries: find this one by what it mounts or publishes.
				entry := lookList(service, at[0], at[1])
				file, line = l.places.item(fmt.Sprint(lookIn(entry, "target")), "services", name, at[0])
				full = []string{"services", name, at[0], at[len(at)-1]}
			}
			l.addAt(Error, file, line, full, r.do, "Swarm cannot do this")
		})
	}
	for _, k := range slices.Sorted(maps.Keys(idle)) {
		if v := lookIn(service, k); v != nil {
			l.add(Warning, []string{"services", name, k}, "remove it", "it has no effect on Swarm: %s", idle[k])
		}
	}
}

// each visits the values at a path with "*" for all entries of a list or mapping.
func each(v any, path, at []string, visit func(at []string, v any)) {
	if len(path) == 0 {
		visit(at, v)
		return
	}
	next := func(name string) []string { return append(at[:len(at):len(at)], name) }
	switch v := v.(type) {
	case map[string]any:
		if path[0] != "*" {
			if e, ok := v[path[0]]; ok {
				each(e, path[1:], next(path[0]), visit)
			}
			return
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			each(v[k], path[1:], next(k), visit)
		}
	case []any:
		if path[0] == "*" {
			for i, e := range v {
				each(e, path[1:], next("["+strconv.Itoa(i)+"]"), visit)
			}
		}
	}
}

// lookList is an entry of a list in a mapping.
func lookList(v any, name, index string) any {
	list, _ := lookIn(v, name).([]any)
	i, err := strconv.Atoi(strings.Trim(index, "[]"))
	if err != nil || i >= len(list) {
		return nil
	}
	return list[i]
}

// isZero tells values that ask for nothing, such as privileged: false.
func isZero(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
