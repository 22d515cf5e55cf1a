package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"slipway/deploy/apply"
	"slipway/deploy/convert"
	"slipway/deploy/environment"
	"slipway/deploy/manifest"
	"slipway/deploy/nodes"
	"slipway/deploy/release"
	"slipway/deploy/remote"
	"slipway/deploy/reviewapp"
	"slipway/engine/display"
	"slipway/registry"
	"slipway/secret"
	"slipway/secret/reference"
)

// place is an environment that a command works on.
type place struct {
	*project
	env  *environment.Environment
	all  map[string]string // the process's environment, with the secrets that it names by reference
	show *display.Display
	keys *registry.Keys

	references *reference.Resolver

	from string // the environment whose manifest a review app has, "" for an environment with its own
	ttl  time.Duration

	did      *deployment
	host     *remote.Host
	nodes    *nodes.Nodes
	warnings []string
	findings manifest.Findings
}

// openPlace reads what there is to know of an environment without connecting to it.
func openPlace(ctx context.Context, name string) (*place, error) {
	return openPlaceFrom(ctx, name, "")
}

// openPlaceFrom does it for a review app that is made from another environment.
func openPlaceFrom(ctx context.Context, name, from string) (*place, error) {
	logrus.SetOutput(io.Discard) // compose-go's warnings are this program's own findings
	p, err := openProject(ctx)
	if err != nil {
		return nil, err
	}
	all := environ()
	if from != "" {
		if err := p.mayReview(name, from); err != nil {
			return nil, badInput{err}
		}
		p.repo.Settings = reviewapp.Settings(p.repo.Settings, name, from)
		all = reviewapp.Variables(all, name, from)
	}
	pl := &place{project: p, all: all, from: from, did: p.story.deployment(name)}
	vars := environment.Vars{All: all, Env: name}
	home, _ := os.UserHomeDir()
	pl.references = &reference.Resolver{Env: func(n string) string { return vars.Get(n) }, Home: home}
	if err := pl.dereference(ctx, name); err != nil {
		return nil, badInput{err}
	}
	if pl.env, err = environment.Resolve(name, stackPart(p.repo.Project), p.repo.Settings, all); err != nil {
		return nil, badInput{err}
	}
	if err := pl.env.Settle(func(r string) (secret.Value, error) { return pl.references.Resolve(ctx, r) }); err != nil {
		return nil, badInput{err}
	}
	if home != "" {
		pl.env.Server.Home, pl.env.Server.SSHConfig = home, filepath.Join(home, ".ssh", "config")
	}
	if h := pl.env.Server.KnownHosts; h != "" && !strings.ContainsAny(h, " \n") && !filepath.IsAbs(h) {
		pl.env.Server.KnownHosts = filepath.Join(p.tree.Root, h)
	}
	if ca := pl.env.Server.PortainerCA; ca != "" && !strings.Contains(ca, "\n") && !filepath.IsAbs(ca) {
		pl.env.Server.PortainerCA = filepath.Join(p.tree.Root, ca)
	}
	given, warning, err := registry.PullCredentials(vars.Get)
	if err != nil {
		return nil, badInput{err}
	}
	if warning != "" {
		pl.warnings = append(pl.warnings, warning)
	}
	if given != nil {
		given.Host, _, _ = strings.Cut(pl.env.Variables["REGISTRY"], "/")
	}
	if pl.keys, err = registry.LoadKeys("", given); err != nil {
		return nil, badInput{err}
	}
	pl.did.stack, pl.did.mask = pl.env.Stack, pl.mask()
	return pl, nil
}

// stackPart makes a project's name fit for a stack's.
func stackPart(project string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, strings.ToLower(project)), "-_")
}

// connect reaches the environment's Swarm.
func (p *place) connect(ctx context.Context) error {
	if err := p.env.Reachable(); err != nil {
		return badInput{err}
	}
	if p.show == nil {
		show, err := p.display(deployOf(p.env.Name))
		if err != nil {
			return err
		}
		p.show = show
	}
	task := p.show.Start("connecting to " + p.env.Server.Server)
	host, err := remote.Connect(ctx, p.env.Server)
	if err == nil {
		if err = host.Manager(ctx); err != nil {
			_ = host.Close()
		}
	}
	task.Done(err)
	if err != nil {
		return interrupted(ctx, err)
	}
	p.host = host
	return nil
}

// close ends the display, so that results come after it, and the connection.
func (p *place) close() {
	if p.show != nil {
		p.show.Close()
	}
	if p.nodes != nil {
		p.nodes.Close()
	}
	if p.host != nil {
		_ = p.host.Close()
	}
}

// record says who deploys what.
func (p *place) record() release.Record {
	host, _ := os.Hostname()
	return release.Record{
		Project: p.env.Project, Env: p.env.Name, Commit: p.tree.Head, Branch: p.branch(),
		Who: environment.Who(p.all, host), Pipeline: environment.Pipeline(p.all), Started: time.Now().UTC(),
	}
}

func (p *place) branch() string { return environment.Branch(p.all, p.tree.Branch) }

// request is what all writing commands have in common.
func (p *place) request(in input, want *convert.Stack, reason string) (r apply.Request, err error) {
	p.nodes = nodes.Of(p.host)
	r = apply.Request{
		Docker: p.host.Docker, Node: p.nodes.Docker, Want: want, Record: p.record(), Auth: p.keys.EncodedAuth, Reason: reason,
		Keep: p.env.Settings.Retention, Report: p.show,
	}
	r.Lock.Report = p.show
	if r.CollectAfter, err = p.env.Settings.CollectAge(); err != nil {
		return r, err // ParseSettings has checked it
	}
	if r.Timeout, err = in.duration("timeout", p.env.Timeout); err != nil {
		return r, err
	}
	if r.Lock.Wait, err = in.duration("wait", 0); err != nil {
		return r, err
	}
	if r.NoAtomic, err = in.flag("noAtomic"); err != nil {
		return r, err
	}
	r.AllowReplace, err = in.flag("allowReplace")
	return r, err
}
