package diff

import (
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
)

const stackName = "shop_dev"

func labels(stack string) map[string]string {
	if stack == "" {
		return nil
	}
	return map[string]string{convert.LabelNamespace: stack}
}

// service is one of a stack. Changes are made to a copy of its own.
func service(key string, change ...func(*swarm.ServiceSpec)) convert.Service {
	spec := swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: stackName + "_" + key, Labels: labels(stackName)},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: "shop/" + key + ":1@sha256:1111", Labels: labels(stackName)},
			Networks:      []swarm.NetworkAttachmentConfig{{Target: "shop_dev_default", Aliases: []string{key}}},
		},
		Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(1))}},
	}
	for _, c := range change {
		c(&spec)
	}
	return convert.Service{Key: key, Spec: spec}
}

// running is a service as a daemon has it.
func running(s convert.Service) swarm.Service {
	spec := convert.Shown(s.Spec, map[string]string{"shop_dev_default": "net-default", "proxy": "net-proxy"})
	if c := spec.TaskTemplate.ContainerSpec; c != nil {
		for _, r := range c.Configs {
			r.ConfigID = "config-" + r.ConfigName
		}
		for _, r := range c.Secrets {
			r.SecretID = "secret-" + r.SecretName
		}
	}
	return swarm.Service{ID: "id-" + s.Key, Meta: swarm.Meta{Version: swarm.Version{Index: 7}}, Spec: spec}
}

// of makes a service another stack's.
func of(stack, name string) func(*swarm.ServiceSpec) {
	return func(s *swarm.ServiceSpec) { s.Name, s.Labels = name, labels(stack) }
}

func on(network, alias string) func(*swarm.ServiceSpec) {
	return func(s *swarm.ServiceSpec) {
		s.TaskTemplate.Networks = append(s.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: network, Aliases: []string{alias}})
	}
}

func image(name string) func(*swarm.ServiceSpec) {
	return func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Image = name }
}

func env(lines ...string) func(*swarm.ServiceSpec) {
	return func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Env = lines }
}

func mode(m swarm.ServiceMode) func(*swarm.ServiceSpec) {
	return func(s *swarm.ServiceSpec) { s.Mode = m }
}

func overlay(name, stack string) network.Summary {
	return network.Summary{Network: network.Network{ID: "net-" + name, Name: name, Driver: "overlay", Labels: labels(stack)}}
}

// want is a stack with its default network.
func want(services ...convert.Service) *convert.Stack {
	return &convert.Stack{Name: stackName, Services: services, Networks: []network.CreateRequest{{Name: "shop_dev_default", Driver: "overlay", Labels: labels(stackName)}}}
}

// holds is a Swarm with that network and these services.
func holds(services ...swarm.Service) *live.State {
	n := overlay("shop_dev_default", stackName)
	n.ID = "net-default"
	return &live.State{Services: services, Networks: []network.Summary{n}}
}
