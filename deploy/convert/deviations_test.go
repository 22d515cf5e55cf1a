package convert_test

import (
	"cmp"
	"slices"
	"strings"

	dockertypes "github.com/docker/cli/cli/compose/types"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/manifest"
)

// change is one of docker's specs on its way to being ours.
type change struct {
	spec     *swarm.ServiceSpec
	service  dockertypes.ServiceConfig
	manifest *manifest.Manifest
}

// deviations are all the differences from docker's converter.
var deviations = []struct {
	name, reason string
	apply        func(*change)
}{
	{
		`restart: "no"`, "docker makes it no policy at all, which Swarm takes for any: the service is started again for ever",
		func(c *change) {
			if c.service.Restart == "no" {
				c.spec.TaskTemplate.RestartPolicy = &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionNone}
			}
		},
	},
	{
		"variables of the container", "docker puts nothing in their place, so the command runs without them; they are left for the shell in the container, with a warning",
		func(c *change) {
			s := c.spec.TaskTemplate.ContainerSpec
			if s.Healthcheck != nil {
				replaceAll(s.Healthcheck.Test, "pg_isready -U  -d ", "pg_isready -U ${POSTGRES_USER} -d ${POSTGRES_DB}")
			}
			replaceAll(s.Args, "echo  ", "echo $HOME ${FOR_THE_CONTAINER}")
		},
	},
	{
		"versions of configs and secrets", "Swarm cannot change them, so a changed file under docker's fixed name is an error; ours have a hash of the content in the name",
		func(c *change) {
			s := c.spec.TaskTemplate.ContainerSpec
			for _, r := range s.Configs {
				if ours := versioned(c.manifest.Configs, r.ConfigName); ours != "" {
					if s.Privileges.CredentialSpec != nil && s.Privileges.CredentialSpec.Config == r.ConfigID {
						s.Privileges.CredentialSpec.Config = "id of " + ours
					}
					r.ConfigName, r.ConfigID = ours, "id of "+ours
				}
			}
			for _, r := range s.Secrets {
				if ours := versioned(c.manifest.Secrets, r.SecretName); ours != "" {
					r.SecretName, r.SecretID = ours, "id of "+ours
				}
			}
		},
	},
	{
		"tmpfs", "docker drops the service's tmpfs list, and the directories are then on the container's disk",
		func(c *change) {
			for _, target := range c.service.Tmpfs {
				s := c.spec.TaskTemplate.ContainerSpec
				s.Mounts = append(s.Mounts, mount.Mount{Type: mount.TypeTmpfs, Target: target})
			}
		},
	},
	{
		"oom_score_adj", "docker's loader has no tag on the field and loses the value",
		func(c *change) {
			if c.service.Name == "web" && c.spec.TaskTemplate.ContainerSpec.Hostname != "" {
				c.spec.TaskTemplate.ContainerSpec.OomScoreAdj = -500
			}
		},
	},
	{
		"protocol and mode of a port", "docker leaves them empty where a mapping does not give them; the daemon then says tcp and ingress, which would be a difference at each look",
		func(c *change) {
			for i := range c.spec.EndpointSpec.Ports {
				p := &c.spec.EndpointSpec.Ports[i]
				p.Protocol, p.PublishMode = cmp.Or(p.Protocol, "tcp"), cmp.Or(p.PublishMode, "ingress")
			}
			slices.SortFunc(c.spec.EndpointSpec.Ports, swarm.PortConfig.Compare)
		},
	},
	{
		"order of mounts", "it means nothing, and a change of it would restart the service",
		func(c *change) {
			slices.SortStableFunc(c.spec.TaskTemplate.ContainerSpec.Mounts, func(a, b mount.Mount) int { return strings.Compare(a.Target, b.Target) })
		},
	},
	{
		"a mount's target without a slash at its end", "compose-go cleans it, and the daemon does as well",
		func(c *change) {
			for i, m := range c.spec.TaskTemplate.ContainerSpec.Mounts {
				if strings.HasPrefix(m.Target, "/") {
					c.spec.TaskTemplate.ContainerSpec.Mounts[i].Target = strings.TrimSuffix(m.Target, "/")
				}
			}
		},
	},
	{
		"order of extra hosts", "compose-go reads them into a mapping",
		func(c *change) {
			byName := func(s string) string { _, name, _ := strings.Cut(s, " "); return name }
			slices.SortStableFunc(c.spec.TaskTemplate.ContainerSpec.Hosts, func(a, b string) int { return strings.Compare(byName(a), byName(b)) })
		},
	},
	{
		"an alias that is the service's name", "docker has it twice",
		func(c *change) {
			for i, n := range c.spec.TaskTemplate.Networks {
				if first := slices.Index(n.Aliases, c.service.Name); first != len(n.Aliases)-1 {
					c.spec.TaskTemplate.Networks[i].Aliases = n.Aliases[:len(n.Aliases)-1]
				}
			}
		},
	},
}

func replaceAll(list []string, old, new string) {
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], old, new)
	}
}

// versioned is the name that an object has with its version, for the one that docker gives it.
func versioned(objects map[string]manifest.Object, docker string) string {
	for _, o := range objects {
		if n := len(o.Name) - len("_0123456789ab"); n > 0 && o.Name[:n] == docker {
			return o.Name
		}
	}
	return ""
}
