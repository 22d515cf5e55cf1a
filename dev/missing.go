package dev

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/manifest"
	"slipway/deploy/secrets"
	"slipway/secret/generate"
)

// Own makes a manifest's stack one that can be taken away whole: directories of the machine
// become volumes, and the volumes bear the label. It says what became another.
func Own(m *manifest.Manifest, project string) (notes []string) {
	notes = m.OwnData()
	for k, v := range m.Project.Volumes {
		if bool(v.External) {
			continue
		}
		labels := map[string]string{Label: project}
		for name, value := range v.Labels {
			labels[name] = value
		}
		v.Labels = labels
		m.Project.Volumes[k] = v
	}
	return notes
}

// Missing makes what the manifest takes for granted and is not there: external secrets, with
// values at random, and external networks. It names what it made.
func Missing(ctx context.Context, docker *client.Client, want *convert.Stack, project string) (made []string, err error) {
	characters, err := generate.Characters(generate.Alphabet)
	if err != nil {
		return nil, err
	}
	there, err := docker.SecretList(ctx, client.SecretListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the Swarm's secrets: %w", err)
	}
	for _, name := range want.External.Secrets {
		if slices.ContainsFunc(there.Items, func(s swarm.Secret) bool { return s.Spec.Name == name }) {
			continue
		}
		value, err := generate.Value(generate.Length, characters)
		if err != nil {
			return made, err
		}
		spec := secrets.First(want.Name, name)
		spec.Labels[Label] = project
		spec.Data = []byte(value.Reveal())
		if _, err := docker.SecretCreate(ctx, client.SecretCreateOptions{Spec: spec}); err != nil && !errdefs.IsConflict(err) && !errdefs.IsAlreadyExists(err) {
			return made, fmt.Errorf("making the secret %s: %w", name, err)
		}
		made = append(made, "secret "+name)
	}
	for _, name := range want.External.Networks {
		_, err := docker.NetworkInspect(ctx, name, client.NetworkInspectOptions{Scope: "swarm"})
		if err == nil {
			continue
		}
		if errdefs.IsNotFound(err) {
			_, err = docker.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "overlay", Scope: "swarm", Attachable: true, Labels: map[string]string{Label: project}})
		}
		if err != nil {
			return made, fmt.Errorf("making the network %s: %w", name, err)
		}
		made = append(made, "network "+name)
	}
	return made, nil
}
