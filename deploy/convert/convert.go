// Package convert turns a manifest into what Docker's API takes. It is pure: the same
// manifest gives the same specs, byte for byte, since Swarm restarts the tasks of a service
// whose spec differs in anything.
//
// Docker's own converter (docker/cli, cli/compose/convert) is the model; the tests hold this
// one against it and name each deviation.
package convert

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/manifest"
	"slipway/secret"
)

// Labels that mark what belongs to a stack; Docker's CLI and its user interfaces read them.
const (
	// LabelNamespace is on services, containers, networks, configs, secrets and volumes.
	LabelNamespace = "com.docker.stack.namespace"
	// LabelImage is on services and has the image as the manifest names it.
	LabelImage = "com.docker.stack.image"
)

// Options are what a manifest does not say.
type Options struct {
	// Digests has each image of the manifest, as it stands there after expansion, with its
	// digest ("sha256:…"). A nil map leaves images as they are, for a look without a registry.
	Digests map[string]string
	// API is the daemon's version ("1.41"). Empty means a daemon that knows everything.
	API string
}

// Stack is a manifest as Swarm objects, each list sorted by name.
type Stack struct {
	Name     string
	Services []Service
	Networks []network.CreateRequest
	Configs  []swarm.ConfigSpec
	Secrets  []Secret
	// External are names of things that have to exist already.
	External External
	// Notes say what an old daemon makes impossible and was left out, for the person who deploys.
	Notes []string
}

// Service is one service.
type Service struct {
	// Key is its name in the manifest; in the Swarm it is Spec.Name.
	Key  string
	Spec swarm.ServiceSpec
	// DependsOn are keys of services that go first, sorted.
	DependsOn []string
}

// Job tells a service whose tasks end.
func (s Service) Job() bool {
	return s.Spec.Mode.ReplicatedJob != nil || s.Spec.Mode.GlobalJob != nil
}

// Secret is a secret. Its value is apart from its spec, so that printing cannot show it.
type Secret struct {
	Spec  swarm.SecretSpec // without Data
	Value secret.Value     `json:"-"`
}

// External are the names of what a stack uses but does not own, sorted.
type External struct{ Networks, Configs, Secrets []string }

// Convert makes the specs. References to configs and secrets have names and no ids: Bind
// fills them in. All errors come at once, each with file and line.
func Convert(m *manifest.Manifest, o Options) (*Stack, error) {
	c := &converter{m: m, Options: o, stack: &Stack{Name: m.Stack}}
	for _, key := range slices.Sorted(maps.Keys(m.Project.Services)) {
		c.service(key)
	}
	c.networks()
	c.stack.Configs, c.stack.External.Configs = c.configs()
	c.stack.Secrets, c.stack.External.Secrets = c.secrets()
	if len(c.errs) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(c.errs, "\n"))
	}
	return c.stack, nil
}

type converter struct {
	Options
	m     *manifest.Manifest
	stack *Stack
	errs  []string
}

// fail reports an error at a place of the manifest.
func (c *converter) fail(at []string, format string, args ...any) {
	file, line := c.m.Place(at...)
	c.errs = append(c.errs, fmt.Sprintf("%s:%d: %s: %s", file, line, strings.Join(at, "."), fmt.Sprintf(format, args...)))
}

// scope is a name as the stack's own.
func (c *converter) scope(name string) string { return c.m.Stack + "_" + name }

// labels adds the stack's label to a copy.
func (c *converter) labels(own map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, own)
	out[LabelNamespace] = c.m.Stack
	return out
}
