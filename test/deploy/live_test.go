package deploy

import (
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
)

func (b *bed) state(t testing.TB) *live.State {
	t.Helper()
	s, err := live.Read(t.Context(), b.docker.Client)
	must(t, err)
	return s
}

// versions are the version indexes of all objects but nodes, by name.
func (b *bed) versions(t testing.TB) map[string]uint64 {
	t.Helper()
	s, out := b.state(t), map[string]uint64{}
	for _, x := range s.Services {
		out["service "+x.Spec.Name] = x.Version.Index
	}
	for _, x := range s.Configs {
		out["config "+x.Spec.Name] = x.Version.Index
	}
	for _, x := range s.Secrets {
		out["secret "+x.Spec.Name] = x.Version.Index
	}
	for _, x := range s.Networks {
		out["network "+x.Name+" "+x.ID] = 0
	}
	return out
}

// running are the ids of a service's running tasks, by the version of the image.
func (b *bed) running(t testing.TB, service string) map[string]string {
	t.Helper()
	s, out := b.state(t), map[string]string{}
	id := s.Service(service)
	for _, x := range s.Tasks {
		if id != nil && x.ServiceID == id.ID && x.Status.State == swarm.TaskStateRunning && x.DesiredState == swarm.TaskStateRunning {
			out[x.ID] = x.Spec.ContainerSpec.Image
		}
	}
	return out
}
