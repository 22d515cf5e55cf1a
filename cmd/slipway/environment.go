package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/sirupsen/logrus"

	"slipway/deploy/apply"
	"slipway/deploy/convert"
	"slipway/deploy/environment"
	"slipway/deploy/manifest"
	"slipway/deploy/nodes"
	"slipway/deploy/preflight"
	"slipway/deploy/release"
	"slipway/deploy/remote"
	"slipway/deploy/secrets"
	"slipway/engine/display"
	"slipway/pipeline"
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

	did      *deployment
	host     *remote.Host
	nodes    *nodes.Nodes
	warnings []string
	findings manifest.Findings
}

// openPlace reads what there is to know of an environment without connecting to it.
func openPlace(ctx context.Context, name string) (*place, error) {
	logrus.SetOutput(io.Discard) // compose-go's warnings are this program's own findings
	p, err := openProject(ctx)
	if err != nil {
		return nil, err
	}
	all := environ()
	pl := &place{project: p, all: all, did: p.story.deployment(name)}
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

// load reads the manifest, with -image=NAME=TAG[,…] for this once.
func (p *place) load(ctx context.Context, in input) (*manifest.Manifest, error) {
	root, err := os.OpenRoot(p.tree.Root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	defer func() { _ = root.Close() }()
	file, err := manifest.File(root.FS(), p.env.Name)
	if err != nil {
		return nil, badInput{err}
	}
	images, err := imageFlag(in.flags["image"])
	if err != nil {
		return nil, badInput{err}
	}
	tags, err := p.tags(ctx)
	if err != nil {
		return nil, err
	}
	m, findings := manifest.Load(manifest.Options{
		FS: root.FS(), Files: append([]string{file}, p.env.Settings.Overrides...), Project: p.env.Project, Env: p.env.Name,
		Vars: p.env.Variables, Images: images, Secret: p.secrets(),
		Tag: func(image string) (string, bool) { t, ok := tags[image]; return t, ok },
	})
	p.findings = findings
	for _, w := range findings.Warnings() {
		p.warnings = append(p.warnings, w.String())
	}
	if err := findings.Err(); err != nil {
		return nil, badInput{fmt.Errorf("the manifest cannot be deployed, and nothing was written:\n%w", err)}
	}
	return m, nil
}

// imageFlag reads NAME=TAG[,NAME=TAG].
func imageFlag(v string) (map[string]string, error) {
	out := map[string]string{}
	for _, one := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' }) {
		name, tag, ok := strings.Cut(one, "=")
		if !ok || name == "" || tag == "" {
			return nil, fmt.Errorf("-image=%s: write NAME=TAG, several by commas: -image=ping=20240725_4605cc6e", v)
		}
		out[name] = tag
	}
	return out, nil
}

// tags are the tags of the repository's services by image name.
func (p *place) tags(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	if len(p.repo.Services) == 0 {
		return out, nil
	}
	plans, err := p.plans(ctx, p.repo.Names(), pipeline.Check)
	if err != nil {
		return nil, err
	}
	for _, plan := range plans {
		ref := plan.Ref()
		if i := strings.LastIndex(ref, ":"); i > strings.LastIndex(ref, "/") {
			name := ref[:i]
			out[strings.TrimPrefix(name[strings.LastIndex(name, "/")+1:], "/")] = ref[i+1:]
		}
	}
	return out, nil
}

// secretVariables are environment variables whose values must not come to light in a manifest.
var secretVariables = []string{"SSH_KEY", "SSH_PRIVATE_KEY", "REGISTRY_PASSWORD", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD", "CI_JOB_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "PORTAINER_TOKEN", "VAULT_TOKEN", "NOTIFY_URL"}

func (p *place) secrets() (out []secret.Value) {
	for _, n := range secretVariables {
		if v := (environment.Vars{All: p.all, Env: p.env.Name}).Get(n); len(v) >= 6 {
			out = append(out, secret.New(v))
		}
	}
	return append(out, p.env.Secret...)
}

// dereference reads the secrets that environment variables name instead of holding them.
func (p *place) dereference(ctx context.Context, env string) error {
	for _, n := range secretVariables {
		for _, name := range (environment.Vars{Env: env}).Names(n) {
			if v := p.all[name]; reference.Is(v) {
				found, err := p.references.Resolve(ctx, v)
				switch {
				case err != nil && slices.Contains(sideVariables, n):
					p.warnings = append(p.warnings, fmt.Sprintf("%s is %v", name, err))
				case err != nil:
					return fmt.Errorf("%s is %w", name, err)
				}
				p.all[name] = found.Reveal()
			}
		}
	}
	return nil
}

// want is the manifest as Swarm objects, each image by its digest.
func (p *place) want(ctx context.Context, m *manifest.Manifest) (*convert.Stack, error) {
	api := p.host.Docker.ClientVersion()
	stack, err := convert.Convert(m, convert.Options{API: api})
	if err != nil {
		return nil, badInput{err}
	}
	task := p.show.Start("looking up digests")
	digests, err := preflight.Digests(ctx, p.host.Docker, stack.Images(), p.keys.EncodedAuth)
	task.Done(err)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	if stack, err = convert.Convert(m, convert.Options{API: api, Digests: digests}); err != nil {
		return nil, badInput{err}
	}
	if len(stack.External.Secrets) == 0 {
		return stack, nil
	}
	there, err := p.host.Docker.SecretList(ctx, client.SecretListOptions{})
	if err != nil {
		return nil, interrupted(ctx, fmt.Errorf("listing the Swarm's secrets: %w", err))
	}
	return secrets.Resolve(stack, there.Items), nil
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
