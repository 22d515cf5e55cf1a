package dev

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/progress"
)

// patience bounds the wait for containers to end in their own time.
const patience = 30 * time.Second

// Down removes all that dev:up of whichever project has made, and names it. What is not there
// any more is passed over, so that it goes on where an earlier call ended.
func Down(ctx context.Context, docker *client.Client, show progress.Reporter) (removed []string, err error) {
	step := func(what string, do func(context.Context, *client.Client) ([]string, error)) {
		if err != nil {
			return
		}
		task := show.Start(what)
		var gone []string
		gone, err = do(ctx, docker)
		task.Done(err)
		removed = append(removed, gone...)
	}
	step("removing the Swarm and its services", leave)
	step("removing volumes", volumes)
	step("removing images", images)
	step("removing the registry", registry)
	return removed, err
}

// leave ends the Swarm that dev:up made, and with it services, networks, configs and secrets.
func leave(ctx context.Context, docker *client.Client) (removed []string, err error) {
	state, of, err := whose(ctx, docker)
	if err != nil || state != swarm.LocalNodeStateActive || of == "" {
		return nil, err
	}
	services, err := docker.ServiceList(ctx, client.ServiceListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the Swarm's services: %w", err)
	}
	for _, s := range services.Items {
		if _, err := docker.ServiceRemove(ctx, s.ID, client.ServiceRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return removed, fmt.Errorf("removing the service %s: %w", s.Spec.Name, err)
		}
		removed = append(removed, "service "+s.Spec.Name)
	}
	// Leaving kills what still runs: databases are given the time to end.
	_ = until(ctx, func() (bool, error) {
		left, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", "com.docker.swarm.service.id")})
		return len(left.Items) == 0, err
	})
	if _, err := docker.SwarmLeave(ctx, client.SwarmLeaveOptions{Force: true}); err != nil {
		return removed, fmt.Errorf("leaving the Swarm that dev:up made: %w", err)
	}
	// Docker made this one for the Swarm's sake. Somebody else's container may be on it.
	_, _ = docker.NetworkRemove(ctx, "docker_gwbridge", client.NetworkRemoveOptions{})
	return append(removed, "Swarm of "+of), nil
}

// until tries again until it is so, within patience.
func until(ctx context.Context, so func() (bool, error)) error {
	for ends := time.Now().Add(patience); ; {
		ok, err := so()
		if ok && err == nil {
			return nil
		}
		if time.Now().After(ends) {
			return cause(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func cause(err error) error {
	if err == nil {
		err = errors.New("it takes too long")
	}
	return err
}

// volumes removes those of stacks; the registry's goes with it.
func volumes(ctx context.Context, docker *client.Client) (removed []string, err error) {
	got, err := docker.VolumeList(ctx, client.VolumeListOptions{Filters: make(client.Filters).Add("label", Label)})
	if err != nil {
		return nil, fmt.Errorf("listing volumes: %w", err)
	}
	for _, v := range got.Items {
		if v.Name == registryName {
			continue
		}
		if err := until(ctx, func() (bool, error) { return volume(ctx, docker, v.Name) }); err != nil {
			return removed, fmt.Errorf("removing the volume %s: %w", v.Name, err)
		}
		removed = append(removed, "volume "+v.Name)
	}
	return removed, nil
}

func volume(ctx context.Context, docker *client.Client, name string) (gone bool, err error) {
	_, err = docker.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	if errdefs.IsNotFound(err) {
		err = nil
	}
	return err == nil, err
}

// images removes what was built for the registry, known by its address in their names.
func images(ctx context.Context, docker *client.Client) (removed []string, err error) {
	there, err := docker.ContainerInspect(ctx, registryName, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the registry of dev:up: %w", err)
	}
	address := address127(there.Container.HostConfig.PortBindings)
	got, err := docker.ImageList(ctx, client.ImageListOptions{})
	if err != nil || address == "" {
		return nil, err
	}
	for _, i := range got.Items {
		name := ""
		for _, ref := range append(i.RepoTags, i.RepoDigests...) {
			if !strings.HasPrefix(ref, address+"/") {
				continue
			}
			if _, err := docker.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true}); err != nil && !errdefs.IsNotFound(err) {
				return removed, fmt.Errorf("removing the image %s: %w", ref, err)
			}
			if name == "" {
				name = ref
			}
		}
		if name != "" {
			removed = append(removed, "image "+name)
		}
	}
	return removed, nil
}

func registry(ctx context.Context, docker *client.Client) (removed []string, err error) {
	if _, err := docker.ContainerInspect(ctx, registryName, client.ContainerInspectOptions{}); err == nil {
		removed = []string{"registry"}
	}
	if err := removeRegistry(ctx, docker); err != nil {
		return nil, err
	}
	if err := until(ctx, func() (bool, error) { return volume(ctx, docker, registryName) }); err != nil {
		return removed, fmt.Errorf("removing the registry's volume: %w", err)
	}
	if _, err := docker.ImageRemove(ctx, registryImage, client.ImageRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
		return removed, fmt.Errorf("removing the registry's image: %w", err)
	}
	return removed, nil
}
