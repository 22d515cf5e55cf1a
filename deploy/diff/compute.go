package diff

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
)

// Owned are the names of what kept releases recorded as a stack's own: a label alone may be
// somebody else's.
type Owned struct{ Services, Networks, Configs, Secrets []string }

// Options are what a plan depends on beside what is wanted and what is live.
type Options struct {
	Owned Owned
	// AllowReplace lets a service be removed and created anew, where Swarm refuses the change.
	AllowReplace bool
}

type comparison struct {
	want  *convert.Stack
	state *live.State
	o     Options
	plan  *Plan
	errs  []error
}

// Compute compares. All that stands against a deploy comes at once, and there is no plan then.
func Compute(want *convert.Stack, state *live.State, o Options) (*Plan, error) {
	c := &comparison{want: want, state: state, o: o, plan: &Plan{Stack: want.Name, Operations: []Operation{}, Seen: map[string]string{}}}
	c.plan.Warnings = slices.Clone(want.Notes)
	c.externals()
	c.secrets()
	c.configs()
	c.networks()
	c.services()
	c.aliases()
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	return c.plan, nil
}

func (c *comparison) fail(format string, a ...any) { c.errs = append(c.errs, fmt.Errorf(format, a...)) }

func (c *comparison) see(k Kind, name string) bool {
	c.plan.Seen[key(k, name)] = mark(c.state, key(k, name))
	return c.plan.Seen[key(k, name)] != ""
}

func (c *comparison) add(op Operation) { c.plan.Operations = append(c.plan.Operations, op) }

// everywhere are the networks that each node has by itself.
var everywhere = []string{"bridge", "host", "none"}

// externals names all that the stack uses and does not own, and that is not there.
func (c *comparison) externals() {
	var missing []string
	for _, e := range []struct {
		kind  Kind
		names []string
	}{{SecretKind, c.want.External.Secrets}, {ConfigKind, c.want.External.Configs}, {NetworkKind, c.want.External.Networks}} {
		for _, name := range e.names {
			if !c.see(e.kind, name) && (e.kind != NetworkKind || !slices.Contains(everywhere, name)) {
				missing = append(missing, fmt.Sprintf("%s %s", e.kind, name))
			}
		}
	}
	if missing != nil {
		c.fail("the Swarm lacks what the manifest says is there already (external): %s. Create them first (secrets with secret:set, networks by deploying the stack that owns them)", strings.Join(missing, ", "))
	}
}

// foreign tells whose an object is that should be this stack's.
func (c *comparison) foreign(k Kind, name string, labels map[string]string) bool {
	switch owner := labels[convert.LabelNamespace]; owner {
	case c.want.Name:
		return false
	case "":
		c.fail("there is a %s %s already, and it belongs to no stack: remove it, or give the manifest's another name", k, name)
	default:
		c.fail("there is a %s %s already, and it belongs to the stack %s: give the manifest's another name", k, name, owner)
	}
	return true
}

func (c *comparison) secrets() {
	for _, s := range c.want.Secrets {
		name := s.Spec.Name
		if !c.see(SecretKind, name) {
			c.add(Operation{Action: Create, Kind: SecretKind, Name: name})
			continue
		}
		if now := c.state.Secret(name); !c.foreign(SecretKind, name, now.Spec.Labels) {
			c.add(Operation{Action: Leave, Kind: SecretKind, Name: name, ID: now.ID, Version: now.Version.Index})
		}
	}
}

func (c *comparison) configs() {
	for _, s := range c.want.Configs {
		if !c.see(ConfigKind, s.Name) {
			c.add(Operation{Action: Create, Kind: ConfigKind, Name: s.Name})
			continue
		}
		now := c.state.Config(s.Name)
		switch {
		case c.foreign(ConfigKind, s.Name, now.Spec.Labels):
		case s.Data != nil && !bytes.Equal(s.Data, now.Spec.Data):
			c.fail("there is a config %s already, with another content, and a config never changes: give the manifest's another name, or no name: at all, so that the name follows the content", s.Name)
		default:
			c.add(Operation{Action: Leave, Kind: ConfigKind, Name: s.Name, ID: now.ID, Version: now.Version.Index})
		}
	}
}

func (c *comparison) networks() {
	wanted := map[string]bool{}
	for _, name := range c.want.External.Networks { // which may have been the stack's own before
		wanted[name] = true
	}
	for _, n := range c.want.Networks {
		wanted[n.Name] = true
		if !c.see(NetworkKind, n.Name) {
			c.add(Operation{Action: Create, Kind: NetworkKind, Name: n.Name})
			continue
		}
		now := c.state.Network(n.Name)
		if c.foreign(NetworkKind, n.Name, now.Labels) {
			continue
		}
		op := Operation{Action: Leave, Kind: NetworkKind, Name: n.Name, ID: now.ID}
		if differs := networkFields(n, now.Network); len(differs) > 0 {
			op.Note = "differs in " + strings.Join(differs, ", ") + ", which Swarm cannot change: remove the stack and deploy it again to have it so"
			c.plan.Warnings = append(c.plan.Warnings, "network "+n.Name+" "+op.Note)
		}
		c.add(op)
	}
	for _, n := range c.state.Networks {
		if wanted[n.Name] || n.Labels[convert.LabelNamespace] != c.want.Name {
			continue
		}
		c.see(NetworkKind, n.Name)
		op := c.unwanted(NetworkKind, n.Name, n.ID, 0, c.o.Owned.Networks)
		if user := c.user(n.ID, n.Name); op.Action == Remove && user != "" {
			op.Action, op.Note = Keep, "the manifest does not have it, but the service "+user+" uses it"
		}
		c.add(op)
	}
}

// user is a service on a network that is not going to leave it with this deploy: Swarm removes
// no network in use.
func (c *comparison) user(id, name string) string {
	for _, s := range c.state.Services {
		ours := s.Spec.Labels[convert.LabelNamespace] == c.want.Name
		if ours && (slices.Contains(c.o.Owned.Services, s.Spec.Name) || slices.ContainsFunc(c.want.Services, func(w convert.Service) bool { return w.Spec.Name == s.Spec.Name })) {
			continue
		}
		if slices.ContainsFunc(s.Spec.TaskTemplate.Networks, func(n swarm.NetworkAttachmentConfig) bool { return n.Target == id || n.Target == name }) {
			return s.Spec.Name
		}
	}
	return ""
}

func (c *comparison) unwanted(k Kind, name, id string, version uint64, owned []string) Operation {
	op := Operation{Action: Remove, Kind: k, Name: name, ID: id, Version: version}
	if !slices.Contains(owned, name) {
		op.Action, op.Note = Keep, "the manifest does not have it, and no release recorded it as this stack's: remove it by hand if nobody needs it"
	}
	return op
}

func (c *comparison) services() {
	wanted := map[string]bool{}
	ids := c.state.NetworkIDs()
	for _, s := range c.want.Services {
		name := s.Spec.Name
		wanted[name] = true
		if !c.see(ServiceKind, name) {
			c.add(Operation{Action: Create, Kind: ServiceKind, Name: name, Key: s.Key})
			continue
		}
		now := c.state.Service(name)
		if !c.foreign(ServiceKind, name, now.Spec.Labels) {
			c.add(c.service(s, now, ids))
		}
	}
	for _, s := range c.state.Services {
		if !wanted[s.Spec.Name] && s.Spec.Labels[convert.LabelNamespace] == c.want.Name {
			c.see(ServiceKind, s.Spec.Name)
			c.add(c.unwanted(ServiceKind, s.Spec.Name, s.ID, s.Version.Index, c.o.Owned.Services))
		}
	}
}

func (c *comparison) service(s convert.Service, now *swarm.Service, ids map[string]string) Operation {
	op := Operation{Action: Leave, Kind: ServiceKind, Name: s.Spec.Name, Key: s.Key, ID: now.ID, Version: now.Version.Index}
	want, have := settled(s.Spec, ids), settled(now.Spec, ids)
	want.TaskTemplate.ForceUpdate = have.TaskTemplate.ForceUpdate
	if reflect.DeepEqual(want, have) {
		return op
	}
	op.Action, op.Fields = Update, fields(have, want, names(ids))
	if from, to := modeOf(now.Spec), modeOf(s.Spec); from != to {
		op.Action, op.Note = Replace, fmt.Sprintf("its mode changes from %s to %s, which Swarm refuses: it is removed and created anew", from, to)
		if !c.o.AllowReplace {
			c.fail("service %s: its mode changes from %s to %s, which Swarm refuses: it would have to be removed and created anew, with no task running in between. Say -allowReplace=true to have that done", s.Key, from, to)
		}
		return op
	}
	op.Restarts = restarts(have, want) || s.Job()
	return op
}

// restarts is swarmkit's rule (orchestrator/task.go: IsTaskDirty). A change of placement alone
// restarts only the tasks that no longer fit. A job runs again whatever changes
// (controlapi/service.go: UpdateService raises its iteration).
func restarts(have, want swarm.ServiceSpec) bool {
	if !reflect.DeepEqual(have.EndpointSpec, want.EndpointSpec) {
		return true
	}
	a, b := have.TaskTemplate, want.TaskTemplate
	a.Placement, b.Placement = nil, nil
	return !reflect.DeepEqual(a, b)
}

func modeOf(s swarm.ServiceSpec) string {
	switch m := s.Mode; {
	case m.Global != nil:
		return "global"
	case m.ReplicatedJob != nil:
		return "replicated-job"
	case m.GlobalJob != nil:
		return "global-job"
	}
	return "replicated"
}
