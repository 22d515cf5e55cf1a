package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/live"
	"slipway/deploy/nodes"
	"slipway/deploy/preflight"
	"slipway/deploy/remote"
)

// patience bounds what is asked of one node.
const patience = 30 * time.Second

// Gather looks at a Swarm through one of its managers, and at its nodes as far as there is a way
// to them; notes say where there is none. auth gives the X-Registry-Auth header for an image.
// Nothing is changed.
func Gather(ctx context.Context, manager *remote.Host, auth func(image string) string) (f Facts, notes []string, err error) {
	if f.State, err = live.Read(ctx, manager.Docker); err != nil {
		return f, nil, err
	}
	of, err := manager.Docker.SwarmInspect(ctx, client.SwarmInspectOptions{})
	if err != nil {
		return f, nil, fmt.Errorf("asking %s about its Swarm: %w", manager.Name, err)
	}
	f.Cluster = of.Swarm.ClusterInfo
	info, err := manager.Docker.Info(ctx, client.InfoOptions{})
	asked := time.Now()
	if err != nil {
		return f, nil, fmt.Errorf("asking %s about itself: %w", manager.Name, err)
	}
	if f.Now, err = time.Parse(time.RFC3339Nano, info.Info.SystemTime); err != nil {
		return f, nil, fmt.Errorf("asking %s for the time: %w", manager.Name, err)
	}
	tasks, err := manager.Docker.TaskList(ctx, client.TaskListOptions{})
	if err != nil {
		return f, nil, fmt.Errorf("listing the Swarm's tasks: %w", err)
	}
	for _, t := range tasks.Items {
		if t.Status.State == swarm.TaskStateFailed || t.Status.State == swarm.TaskStateRejected {
			f.Ended = append(f.Ended, t)
		}
	}
	g := &gathering{facts: &f, auth: auth, manager: manager, nodes: nodes.Of(manager), asked: asked, served: map[string]bool{}}
	g.facts.Hosts, g.facts.Healthy = map[string]Host{}, map[string]bool{}
	defer g.nodes.Close()
	var eg errgroup.Group
	for _, n := range f.State.Nodes {
		if n.Status.State == swarm.NodeStateReady {
			eg.Go(func() error { g.node(ctx, n); return nil })
		}
	}
	_ = eg.Wait()
	if f.Cluster.Spec.EncryptionConfig.AutoLockManagers {
		g.notes = append(g.notes, "managers are locked after a restart (autolock): keep the key where you find it then (docker swarm unlock-key)")
	}
	if age := f.Now.Sub(f.Cluster.CreatedAt); age > 365*24*time.Hour {
		g.notes = append(g.notes, fmt.Sprintf("tokens for joining never expire, and this Swarm is %d days old: after people have left, docker swarm join-token --rotate worker, and manager", int(age.Hours()/24)))
	}
	slices.Sort(g.notes)
	slices.SortFunc(f.Pulls, func(a, b Pull) int { return cmp.Or(cmp.Compare(a.Image, b.Image), cmp.Compare(a.Node, b.Node)) })
	return f, g.notes, context.Cause(ctx)
}

// gathering collects from several nodes at once.
type gathering struct {
	auth    func(string) string
	manager *remote.Host
	nodes   *nodes.Nodes
	asked   time.Time // by this machine's clock, when the manager's was Facts.Now

	mu     sync.Mutex
	facts  *Facts
	notes  []string
	served map[string]bool // by service and port
}

func (g *gathering) note(format string, a ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notes = append(g.notes, fmt.Sprintf(format, a...))
}

// node looks at one node.
func (g *gathering) node(ctx context.Context, n swarm.Node) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host, err := g.nodes.Host(ctx, n)
	if err != nil {
		g.note("%s was not looked at: %s", name(n), reason(err, n))
		return
	}
	var eg errgroup.Group
	for _, look := range []func(context.Context, *remote.Host, swarm.Node){g.machine, g.images, g.ports} {
		eg.Go(func() error { look(ctx, host, n); return nil })
	}
	_ = eg.Wait()
}

func reason(err error, n swarm.Node) string {
	switch {
	case errors.Is(err, remote.ErrNotPinned):
		return "no host key is pinned for it; put the output of `ssh-keyscan " + nodes.Address(n) + "` into SSH_KNOWN_HOSTS, or what server:setup prints"
	case errors.Is(err, remote.ErrNotOverSSH):
		return "other nodes are reached over SSH only"
	}
	return err.Error()
}

// images looks up images in their registries as the node's daemon does: all of them on the
// manager, and one of each registry elsewhere, since registries count what is asked.
func (g *gathering) images(ctx context.Context, host *remote.Host, n swarm.Node) {
	asked := map[string]bool{}
	for _, s := range g.facts.State.Services {
		image := imageOf(s.Spec.TaskTemplate)
		if image == "" || asked[image] {
			continue
		}
		asked[image] = true
		if got, err := host.Docker.ImageInspect(ctx, image); err == nil && got.Config != nil {
			g.mu.Lock()
			g.facts.Healthy[image] = got.Config.Healthcheck != nil && len(got.Config.Healthcheck.Test) > 0 && got.Config.Healthcheck.Test[0] != "NONE"
			g.mu.Unlock()
		}
		if registry := domain(image); host != g.manager {
			if asked[registry] {
				continue
			}
			asked[registry] = true
		}
		p := Pull{Node: name(n), Image: image}
		if _, err := preflight.Digests(ctx, host.Docker, []string{image}, g.auth); err != nil {
			p.Err = err.Error()
		}
		g.mu.Lock()
		g.facts.Pulls = append(g.facts.Pulls, p)
		g.mu.Unlock()
	}
}

func domain(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	return reference.Domain(named)
}
