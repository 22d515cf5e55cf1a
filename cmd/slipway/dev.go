package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"slipway/deploy/addresses"
	"slipway/deploy/live"
	"slipway/deploy/remote"
	"slipway/dev"
	"slipway/pipeline"
)

// devEnvironment is the one that runs on this machine.
const devEnvironment = "dev"

// devUp runs the dev environment on this machine's Docker: registry, Swarm, services.
func devUp(ctx context.Context, in input) error {
	port, err := in.number("port")
	if err != nil || port > 65535 {
		return badInput{fmt.Errorf("-port=%s: write a port between 1 and 65535", in.flags["port"])}
	}
	p, err := openHere(ctx, port)
	if err != nil {
		return err
	}
	if _, err := p.load(ctx, input{}); err != nil {
		return err // before anything is made
	}
	registry, err := p.machine(ctx, port)
	if err != nil {
		return err
	}
	if err := here(registry); err != nil {
		return err
	}
	if err := buildHere(ctx); err != nil {
		return err
	}
	return deployHere(ctx, in)
}

// here makes this process's settings those of this machine: nothing that is set for a server or
// a registry elsewhere holds, and no chat is told.
func here(registry string) error {
	all := environ()
	for _, name := range dev.Unset(slices.Sorted(maps.Keys(all)), devEnvironment) {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	if err := os.Setenv("SERVER_HOST", "local"); err != nil {
		return err
	}
	return os.Setenv("REGISTRY", registry)
}

// openHere opens the dev environment for this machine. port is the registry's, 0 for any.
func openHere(ctx context.Context, port int) (*place, error) {
	if err := here(dev.Address(port)); err != nil {
		return nil, err
	}
	p, err := openPlace(ctx, devEnvironment)
	if err != nil {
		return nil, err
	}
	if err := dev.OnThisMachine(p.env.Server.DockerHost); err != nil {
		return nil, badInput{err}
	}
	return p, nil
}

// docker reaches this machine's Docker, whether it is in a Swarm or not.
func (p *place) docker(ctx context.Context) (*remote.Host, error) {
	host, err := remote.Connect(ctx, p.env.Server)
	return host, interrupted(ctx, err)
}

// machine makes the Swarm and the registry, where they are not there, and gives the latter's
// address.
func (p *place) machine(ctx context.Context, port int) (registry string, err error) {
	show, err := p.display(ownWork)
	if err != nil {
		return "", err
	}
	defer show.Close()
	host, err := p.docker(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = host.Close() }()
	task := show.Start("making a Swarm of this machine")
	made, err := dev.Swarm(ctx, host.Docker, p.env.Project)
	if err == nil && !made {
		task.Log("it is one already")
	}
	task.Done(err)
	if err != nil {
		return "", interrupted(ctx, err)
	}
	registry, err = dev.Registry(ctx, host.Docker, p.env.Project, slipwayHome(), port, show)
	return registry, interrupted(ctx, err)
}

// buildHere builds all services and brings them to the machine's registry, uncommitted changes
// and all.
func buildHere(ctx context.Context) error {
	p, err := openProject(ctx)
	if err != nil || len(p.repo.Services) == 0 {
		return err
	}
	parts := pipeline.Check
	parts.Push = true
	p.local = true
	return p.build(ctx, p.repo.Names(), parts)
}

// deployHere deploys as everywhere, but for what a server has and this machine has not.
func deployHere(ctx context.Context, in input) error {
	p, err := openPlace(ctx, devEnvironment)
	if err != nil {
		return err
	}
	p.env.Dir = ""
	m, err := p.load(ctx, input{})
	if err != nil {
		return err
	}
	p.warnings = append(p.warnings, dev.Own(m, p.env.Project)...)
	defer p.close()
	if err := p.connect(ctx); err != nil {
		return err
	}
	want, err := p.want(ctx, m)
	if err != nil {
		return err
	}
	made, err := dev.Missing(ctx, p.host.Docker, want, p.env.Project)
	for _, what := range made {
		p.show.Start("made the " + what + ", which the manifest takes for granted").Done(nil)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	r, err := p.request(in, want, "dev:up")
	if err != nil {
		return err
	}
	r.Check = p.checkManifest(want)
	if err := p.deploy(ctx, in, r); err != nil {
		return err
	}
	return printAddresses(ctx, p)
}

// printAddresses ends dev:up: where the services are to be found. The deploy has closed its own
// connection.
func printAddresses(ctx context.Context, p *place) error {
	host, err := p.docker(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	state, err := live.Read(ctx, host.Docker)
	if err != nil {
		return interrupted(ctx, err)
	}
	for _, a := range addresses.Of(state, p.env.Stack) {
		fmt.Printf("%-20s %s\n", a.Service, a.URL("localhost"))
	}
	return nil
}

// devDown removes what dev:up has made, data included.
func devDown(ctx context.Context, _ input) error {
	p, err := openHere(ctx, 0)
	if err != nil {
		return err
	}
	show, err := p.display(ownWork)
	if err != nil {
		return err
	}
	defer show.Close()
	host, err := p.docker(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	removed, err := dev.Down(ctx, host.Docker, show)
	show.Close()
	for _, what := range removed {
		fmt.Println("removed", what)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	if len(removed) == 0 {
		fmt.Println("there was nothing of dev:up to remove")
	}
	return nil
}
