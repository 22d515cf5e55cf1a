// Package live reads what a Swarm holds.
package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/convert"
)

// State is what a Swarm holds, as it was in one burst of reading. All lists are of the whole
// Swarm, sorted by name.
type State struct {
	API      string // the daemon's API version
	Services []swarm.Service
	Networks []network.Summary // of scope swarm
	Configs  []swarm.Config
	Secrets  []swarm.Secret // without data, which no daemon gives out
	Nodes    []swarm.Node
	Tasks    []swarm.Task // those that run or are to run
}

// Read lists everything side by side. The daemon has to be a manager.
func Read(ctx context.Context, docker *client.Client) (*State, error) {
	s := &State{API: docker.ClientVersion()}
	eg, ctx := errgroup.WithContext(ctx)
	list := func(what string, do func() error) {
		eg.Go(func() error {
			if err := do(); err != nil {
				return fmt.Errorf("listing the Swarm's %s: %w", what, err)
			}
			return nil
		})
	}
	list("services", func() error {
		got, err := docker.ServiceList(ctx, client.ServiceListOptions{})
		s.Services = sorted(got.Items, func(x swarm.Service) string { return x.Spec.Name })
		return err
	})
	list("networks", func() error {
		got, err := docker.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("scope", "swarm")})
		s.Networks = sorted(got.Items, func(x network.Summary) string { return x.Name })
		return err
	})
	list("configs", func() error {
		got, err := docker.ConfigList(ctx, client.ConfigListOptions{})
		s.Configs = sorted(got.Items, func(x swarm.Config) string { return x.Spec.Name })
		return err
	})
	list("secrets", func() error {
		got, err := docker.SecretList(ctx, client.SecretListOptions{})
		s.Secrets = sorted(got.Items, func(x swarm.Secret) string { return x.Spec.Name })
		return err
	})
	list("nodes", func() error {
		got, err := docker.NodeList(ctx, client.NodeListOptions{})
		s.Nodes = sorted(got.Items, func(x swarm.Node) string { return x.Description.Hostname + x.ID })
		return err
	})
	list("tasks", func() error {
		got, err := docker.TaskList(ctx, client.TaskListOptions{Filters: make(client.Filters).Add("desired-state", "running").Add("desired-state", "ready")})
		s.Tasks = sorted(got.Items, func(x swarm.Task) string { return x.ID })
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	return s, nil
}

func sorted[T any](items []T, name func(T) string) []T {
	slices.SortFunc(items, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	return items
}

// NetworkIDs has the networks' ids by name.
func (s *State) NetworkIDs() map[string]string {
	ids := map[string]string{}
	for _, n := range s.Networks {
		ids[n.Name] = n.ID
	}
	return ids
}

// Service finds a service by its name in the Swarm, nil where there is none.
func (s *State) Service(name string) *swarm.Service {
	for i := range s.Services {
		if s.Services[i].Spec.Name == name {
			return &s.Services[i]
		}
	}
	return nil
}

// Network finds a network by name, nil where there is none.
func (s *State) Network(name string) *network.Summary {
	for i := range s.Networks {
		if s.Networks[i].Name == name {
			return &s.Networks[i]
		}
	}
	return nil
}

// Config finds a config by name, nil where there is none.
func (s *State) Config(name string) *swarm.Config {
	for i := range s.Configs {
		if s.Configs[i].Spec.Name == name {
			return &s.Configs[i]
		}
	}
	return nil
}

// Secret finds a secret by name, nil where there is none.
func (s *State) Secret(name string) *swarm.Secret {
	for i := range s.Secrets {
		if s.Secrets[i].Spec.Name == name {
			return &s.Secrets[i]
		}
	}
	return nil
}

// Of are a stack's services.
func (s *State) Of(stack string) (out []swarm.Service) {
	for _, one := range s.Services {
		if one.Spec.Labels[convert.LabelNamespace] == stack {
			out = append(out, one)
		}
	}
	return out
}

// Key is a service's name in the manifest of its stack.
func Key(stack string, s swarm.ServiceSpec) string { return strings.TrimPrefix(s.Name, stack+"_") }

// Now is the time of a daemon's machine.
func Now(ctx context.Context, docker *client.Client) (time.Time, error) {
	info, err := docker.Info(ctx, client.InfoOptions{})
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, info.Info.SystemTime)
}
