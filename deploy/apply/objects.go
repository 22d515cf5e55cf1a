package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/deploy/diff"
	"slipway/deploy/remote"
)

// objects makes the secrets, configs and networks that are not there yet. They are immutable,
// and nobody uses them before a service does: making one twice is the only trap.
func (r *run) objects(ctx context.Context) error {
	for _, op := range r.plan.Operations {
		if op.Action != diff.Create || op.Kind == diff.ServiceKind {
			continue
		}
		if err := r.held.Check(ctx); err != nil {
			return err
		}
		if err := r.create(ctx, op); err != nil {
			return fmt.Errorf("creating %s %s: %w", op.Kind, op.Name, err)
		}
	}
	return nil
}

// create makes one object. Where the connection was lost in the middle, the object may have
// been made all the same.
func (r *run) create(ctx context.Context, op diff.Operation) error {
	return remote.RetryTold(ctx, r.ends, r.Report, func() error {
		id, err := r.made(ctx, op)
		if err != nil || id != "" {
			return err
		}
		switch op.Kind {
		case diff.SecretKind:
			err = r.createSecret(ctx, op.Name)
		case diff.ConfigKind:
			err = r.createConfig(ctx, op.Name)
		case diff.NetworkKind:
			err = r.createNetwork(ctx, op.Name)
		}
		return err
	})
}

// made looks for what an attempt that was cut short has left.
func (r *run) made(ctx context.Context, op diff.Operation) (id string, err error) {
	switch op.Kind {
	case diff.SecretKind:
		got, fault := r.Docker.SecretInspect(ctx, op.Name, client.SecretInspectOptions{})
		id, err = got.Secret.ID, fault
		r.ids.Secrets[op.Name] = id
	case diff.ConfigKind:
		got, fault := r.Docker.ConfigInspect(ctx, op.Name, client.ConfigInspectOptions{})
		id, err = got.Config.ID, fault
		r.ids.Configs[op.Name] = id
	case diff.NetworkKind:
		got, fault := r.Docker.NetworkInspect(ctx, op.Name, client.NetworkInspectOptions{Scope: "swarm"})
		id, err = got.Network.ID, fault
		if id != "" {
			r.netIDs[op.Name] = id
		}
	}
	if errdefs.IsNotFound(err) {
		return "", nil
	}
	return id, err
}

func (r *run) createSecret(ctx context.Context, name string) error {
	for _, s := range r.Want.Secrets {
		if s.Spec.Name == name {
			spec := s.Spec
			spec.Data = []byte(s.Value.Reveal())
			got, err := r.Docker.SecretCreate(ctx, client.SecretCreateOptions{Spec: spec})
			r.ids.Secrets[name] = got.ID
			return err
		}
	}
	return fmt.Errorf("the manifest does not have its value")
}

func (r *run) createConfig(ctx context.Context, name string) error {
	for _, c := range r.Want.Configs {
		if c.Name == name {
			got, err := r.Docker.ConfigCreate(ctx, client.ConfigCreateOptions{Spec: c})
			r.ids.Configs[name] = got.ID
			return err
		}
	}
	return fmt.Errorf("the manifest does not have its content")
}

func (r *run) createNetwork(ctx context.Context, name string) error {
	i := slices.IndexFunc(r.networks(), func(n string) bool { return n == name })
	want := r.Want.Networks[i]
	got, err := r.Docker.NetworkCreate(ctx, name, client.NetworkCreateOptions{
		Driver: want.Driver, Scope: want.Scope, EnableIPv4: want.EnableIPv4, EnableIPv6: want.EnableIPv6, IPAM: want.IPAM,
		Internal: want.Internal, Attachable: want.Attachable, Ingress: want.Ingress, ConfigOnly: want.ConfigOnly,
		Options: want.Options, Labels: want.Labels,
	})
	r.netIDs[name] = got.ID
	return err
}

func (r *run) networks() []string {
	var names []string
	for _, n := range r.Want.Networks {
		names = append(names, n.Name)
	}
	return names
}
