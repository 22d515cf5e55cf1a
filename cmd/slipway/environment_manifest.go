package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/manifest"
	"slipway/deploy/preflight"
	"slipway/deploy/secrets"
	"slipway/pipeline"
)

// load reads the manifest, with -image=NAME=TAG[,…] for this once.
func (p *place) load(ctx context.Context, in input) (*manifest.Manifest, error) {
	root, err := os.OpenRoot(p.tree.Root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	defer func() { _ = root.Close() }()
	file, err := manifest.File(root.FS(), cmp.Or(p.from, p.env.Name))
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
		Vars: p.env.Variables, Images: images, Secret: p.secrets(), Mounts: p.env.Settings.Mounts, Origin: p.from,
		Tag: func(image string) (string, bool) { t, ok := tags[image]; return t, ok },
	})
	p.findings = findings
	for _, w := range findings.Warnings() {
		p.warnings = append(p.warnings, w.String())
	}
	if err := findings.Err(); err != nil {
		return nil, badInput{fmt.Errorf("the manifest cannot be deployed, and nothing was written:\n%w", err)}
	}
	if p.from != "" {
		p.warnings = append(p.warnings, m.Apart()...)
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
