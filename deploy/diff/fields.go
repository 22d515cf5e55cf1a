package diff

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/network"
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
			out = append(out, Field{p, old[p], now[p]})
		}
	}
	return out
}

// short are the paths of a spec by the names that manifests have for them.
var short = strings.NewReplacer(
	"TaskTemplate.ContainerSpec.Healthcheck.", "healthcheck.",
	"TaskTemplate.ContainerSpec.Command", "entrypoint", "TaskTemplate.ContainerSpec.Args", "command",
	"TaskTemplate.ContainerSpec.Labels", "container.labels", "TaskTemplate.ContainerSpec.", "",
	"TaskTemplate.Resources.", "resources.", "TaskTemplate.RestartPolicy.", "restart_policy.",
	"TaskTemplate.Placement.", "placement.", "TaskTemplate.LogDriver.", "logging.", "TaskTemplate.", "",
	"UpdateConfig.", "update_config.", "RollbackConfig.", "rollback_config.", "EndpointSpec.Mode", "endpoint_mode",
	"EndpointSpec.", "", "Mode.Replicated.Replicas", "replicas", "Labels.", "labels.",
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
			out["environment."+k] = v
		}
		for _, m := range c.Mounts {
			out["mounts."+m.Target] = plain(m)
		}
		for _, r := range c.Configs {
			target := r.ConfigName
			if r.File != nil {
				target = fmt.Sprintf("%s (%s:%s %#o)", r.ConfigName, r.File.UID, r.File.GID, r.File.Mode)
				out["configs."+r.File.Name] = target
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
			out[fmt.Sprintf("ports.%d/%s", p.TargetPort, p.Protocol)] = fmt.Sprintf("%d, %s mode", p.PublishedPort, p.PublishMode)
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
				parts = append(parts, text)
			} else {
				parts = append(parts, plain(v))
			}
		}
		out[name(path)] = strings.Join(parts, " ")
	default:
		out[name(path)] = fmt.Sprint(n)
	}
}

func name(path string) string {
	p := short.Replace(path)
	if strings.HasPrefix(p, "labels.") || strings.HasPrefix(p, "container.labels") {
		return p
	}
	return strings.ToLower(p)
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

// networkFields names what differs of a network that is there. What the manifest does not say
// is the daemon's to choose.
func networkFields(want network.CreateRequest, have network.Network) []string {
	var out []string
	if want.Driver != "" && want.Driver != have.Driver {
		out = append(out, fmt.Sprintf("driver (%s, wanted %s)", have.Driver, want.Driver))
	}
	if want.Attachable != have.Attachable {
		out = append(out, fmt.Sprintf("attachable (%t, wanted %t)", have.Attachable, want.Attachable))
	}
	if want.Internal != have.Internal {
		out = append(out, fmt.Sprintf("internal (%t, wanted %t)", have.Internal, want.Internal))
	}
	for _, k := range slices.Sorted(maps.Keys(want.Options)) {
		if have.Options[k] != want.Options[k] {
			out = append(out, fmt.Sprintf("driver_opts.%s (%q, wanted %q)", k, have.Options[k], want.Options[k]))
		}
	}
	if want.IPAM != nil && len(want.IPAM.Config) > 0 && plain(want.IPAM.Config) != plain(have.IPAM.Config) {
		out = append(out, "ipam")
	}
	if !maps.Equal(want.Labels, have.Labels) {
		out = append(out, "labels")
	}
	return out
}
