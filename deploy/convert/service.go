package convert

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/swarm"
)

func (c *converter) service(key string) {
	s := c.m.Project.Services[key]
	d := types.DeployConfig{}
	if s.Deploy != nil {
		d = *s.Deploy
	}
	labels := c.labels(d.Labels)
	labels[LabelImage] = s.Image
	spec := swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: c.scope(key), Labels: labels},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: c.container(key, s),
			LogDriver:     logDriver(s.Logging),
			Resources:     c.resources(key, d.Resources),
			RestartPolicy: restartPolicy(s.Restart, d.RestartPolicy),
			Placement:     placement(d.Placement, s.Platform),
			Networks:      c.attachments(key, s.Networks),
		},
		EndpointSpec:   c.endpoint(key, d.EndpointMode, s.Ports),
		Mode:           mode(d),
		UpdateConfig:   updateConfig(d.UpdateConfig),
		RollbackConfig: updateConfig(d.RollbackConfig),
	}
	c.gate(key, &spec)
	one := Service{Key: key, Spec: spec}
	for _, d := range slices.Sorted(maps.Keys(s.DependsOn)) {
		if _, ok := c.m.Project.Services[d]; ok { // one that is not required may be missing
			one.DependsOn = append(one.DependsOn, d)
		}
	}
	c.stack.Services = append(c.stack.Services, one)
}

func (c *converter) container(key string, s types.ServiceConfig) *swarm.ContainerSpec {
	add, drop := capabilities(s.CapAdd, s.CapDrop)
	return &swarm.ContainerSpec{
		Image:           c.image(key, s.Image),
		Command:         s.Entrypoint,
		Args:            s.Command,
		Hostname:        s.Hostname,
		Hosts:           hosts(s.ExtraHosts),
		DNSConfig:       c.dns(key, s),
		Healthcheck:     healthcheck(s.HealthCheck),
		Env:             environment(s.Environment),
		Labels:          c.labels(s.Labels),
		Dir:             s.WorkingDir,
		User:            s.User,
		Groups:          s.GroupAdd,
		Mounts:          c.mounts(key, s),
		StopGracePeriod: (*time.Duration)(s.StopGracePeriod),
		StopSignal:      s.StopSignal,
		TTY:             s.Tty,
		OpenStdin:       s.StdinOpen,
		Secrets:         c.secretReferences(s),
		Configs:         c.configReferences(s),
		ReadOnly:        s.ReadOnly,
		Privileges:      &swarm.Privileges{CredentialSpec: c.credentialSpec(s.CredentialSpec)},
		Isolation:       container.Isolation(s.Isolation),
		Init:            s.Init,
		Sysctls:         s.Sysctls,
		CapabilityAdd:   add,
		CapabilityDrop:  drop,
		Ulimits:         ulimits(s.Ulimits),
		OomScoreAdj:     s.OomScoreAdj,
	}
}

// environment is sorted; a name without a value unsets the image's.
func environment(env types.MappingWithEquals) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		if v := env[k]; v != nil {
			k += "=" + *v
		}
		out = append(out, k)
	}
	return out
}

// hosts are "IP name", as in /etc/hosts.
func hosts(all types.HostsList) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, ip := range all[name] {
			out = append(out, ip+" "+name)
		}
	}
	return out
}

func logDriver(l *types.LoggingConfig) *swarm.Driver {
	if l == nil {
		return nil
	}
	return &swarm.Driver{Name: l.Driver, Options: l.Options}
}

func ulimits(all map[string]*types.UlimitsConfig) []*container.Ulimit {
	var out []*container.Ulimit
	for _, name := range slices.Sorted(maps.Keys(all)) {
		u := all[name]
		limit := &container.Ulimit{Name: name, Soft: int64(u.Soft), Hard: int64(u.Hard)}
		if u.Single != 0 {
			limit.Soft, limit.Hard = int64(u.Single), int64(u.Single)
		}
		out = append(out, limit)
	}
	return out
}

// capabilities normalises the names to CAP_…; ALL stands for all others, and what is both
// added and dropped is added (docker/cli, opts.EffectiveCapAddCapDrop).
func capabilities(add, drop []string) (adds, drops []string) {
	set := func(names []string) map[string]bool {
		out := map[string]bool{}
		for _, n := range names {
			n = strings.ToUpper(strings.TrimSpace(n))
			if n != "ALL" && !strings.HasPrefix(n, "CAP_") {
				n = "CAP_" + n
			}
			out[n] = true
		}
		if out["ALL"] {
			return map[string]bool{"ALL": true}
		}
		return out
	}
	a, d := set(add), set(drop)
	maps.DeleteFunc(d, func(n string, _ bool) bool { return a[n] })
	return slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(d))
}
