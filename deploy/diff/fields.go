package diff

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/moby/moby/api/types/swarm"
)

// fields names what differs between two specs, as a manifest's reader would.
func fields(have, want swarm.ServiceSpec, names map[string]string) []Field {
	old, now := flat(have, names), flat(want, names)
	paths := slices.Collect(maps.Keys(old))
	for p := range now {
		if _, ok := old[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	var out []Field
	for _, p := range paths {
		if old[p] != now[p] {
			out = append(out, Field{p, masked(p, old[p]), masked(p, now[p])})
		}
	}
	return out
}

// short are the paths of a spec by the names that manifests have for them.
var short = strings.NewReplacer(
	"TaskTemplate.ContainerSpec.Healthcheck.", "healthcheck.",
	"TaskTemplate.ContainerSpec.Command", "entrypoint", "TaskTemplate.ContainerSpec.Args", "command",
	"TaskTemplate.ContainerSpec.Dir", "working_dir", "TaskTemplate.ContainerSpec.Hosts", "extra_hosts", "TaskTemplate.ContainerSpec.", "",
	"TaskTemplate.Resources.", "resources.", "TaskTemplate.RestartPolicy.", "restart_policy.",
	"TaskTemplate.Placement.", "placement.", "TaskTemplate.LogDriver.", "logging.", "TaskTemplate.", "",
	"UpdateConfig.", "update_config.", "RollbackConfig.", "rollback_config.", "EndpointSpec.Mode", "endpoint_mode",
	"EndpointSpec.", "", "Mode.Replicated.Replicas", "replicas",
	"NanoCPUs", "cpus", "MemoryBytes", "memory", "MaxReplicas", "max_replicas_per_node", "MaxAttempts", "max_attempts",
	"StopGracePeriod", "stop_grace_period", "StopSignal", "stop_signal", "ReadOnly", "read_only", "StartPeriod", "start_period",
	"StartInterval", "start_interval", "FailureAction", "failure_action", "MaxFailureRatio", "max_failure_ratio",
)

// flat is a spec as values by path.
func flat(s swarm.ServiceSpec, names map[string]string) map[string]string {
	out := map[string]string{}
	s = settled(s, nil) // what is done to it here stays here
	t := &s.TaskTemplate
	if c := t.ContainerSpec; c != nil {
		for _, e := range c.Env {
			k, v, ok := strings.Cut(e, "=")
			if !ok {
				v = "(unset)"
			}
			out["environment."+k] = cmp.Or(v, empty)
		}
		for _, m := range c.Mounts {
			out["mounts."+m.Target] = plain(m)
		}
		for _, r := range c.Configs {
			if r.File != nil {
				out["configs."+r.File.Name] = fmt.Sprintf("%s (%s:%s %#o)", r.ConfigName, r.File.UID, r.File.GID, r.File.Mode)
			} else {
				out["configs."+r.ConfigName] = plain(r)
			}
		}
		for _, r := range c.Secrets {
			if r.File != nil {
				out["secrets."+r.File.Name] = fmt.Sprintf("%s (%s:%s %#o)", r.SecretName, r.File.UID, r.File.GID, r.File.Mode)
			} else {
				out["secrets."+r.SecretName] = plain(r)
			}
		}
		c.Env, c.Mounts, c.Configs, c.Secrets = nil, nil, nil, nil
	}
	for _, n := range t.Networks {
		name := n.Target
		if known := names[n.Target]; known != "" {
			name = known
		}
		n.Target = ""
		out["networks."+name] = plain(n)
	}
	t.Networks = nil
	if s.EndpointSpec != nil {
		for _, p := range s.EndpointSpec.Ports {
			path := fmt.Sprintf("ports.%d/%s", p.TargetPort, p.Protocol)
			if out[path] != "" { // published under several
				out[path] += "; "
			}
			out[path] += fmt.Sprintf("%d, %s mode", p.PublishedPort, p.PublishMode)
		}
		s.EndpointSpec.Ports = nil
	}
	var tree any
	if err := json.Unmarshal([]byte(plain(s)), &tree); err != nil {
		panic(err) // it was made from JSON
	}
	walk("", tree, out)
	return out
}

func walk(path string, node any, out map[string]string) {
	switch n := node.(type) {
	case map[string]any:
		for k, v := range n {
			walk(strings.TrimPrefix(path+"."+k, "."), v, out)
		}
	case nil:
	case float64:
		out[name(path)] = number(path, n)
	case []any:
		var parts []string
		for _, v := range n {
			if text, ok := v.(string); ok {
				parts = append(parts, word(text))
			} else {
				parts = append(parts, plain(v))
			}
		}
		out[name(path)] = strings.Join(parts, " ")
	default:
		out[name(path)] = cmp.Or(fmt.Sprint(n), empty)
	}
}

// empty stands for a value that is there and has no characters.
const empty = "(empty)"

// word quotes an argument that would look like several, or like none.
func word(s string) string {
	if s == "" || strings.ContainsFunc(s, unicode.IsSpace) {
		return strconv.Quote(s)
	}
	return s
}

func name(path string) string {
	for _, l := range []struct{ of, as string }{{"Labels.", "labels."}, {"TaskTemplate.ContainerSpec.Labels.", "container.labels."}} {
		if own, ok := strings.CutPrefix(path, l.of); ok { // which stays as it is
			return l.as + own
		}
	}
	return strings.ToLower(short.Replace(path))
}

// number writes times, memory and CPUs with their units.
func number(path string, n float64) string {
	last := path[strings.LastIndex(path, ".")+1:]
	switch last {
	case "Interval", "Timeout", "StartPeriod", "StartInterval", "Delay", "Monitor", "Window", "StopGracePeriod":
		return time.Duration(n).String()
	case "NanoCPUs":
		return strconv.FormatFloat(n/1e9, 'f', -1, 64)
	case "MemoryBytes":
		return strconv.FormatFloat(n/(1<<20), 'f', -1, 64) + "M"
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func plain(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // API types are made to be JSON
	}
	return string(data)
}
