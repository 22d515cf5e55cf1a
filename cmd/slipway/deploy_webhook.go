package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"slipway/deploy/apply"
	"slipway/deploy/environment"
	"slipway/deploy/live"
	"slipway/deploy/portainer"
	"slipway/deploy/preflight"
	"slipway/deploy/watch"
	"slipway/pipeline"
	"slipway/secret"
)

// deployWebhook lets Portainer update one service by its webhook, and proves that the new image
// runs: Portainer itself answers once it has told the Swarm.
func deployWebhook(ctx context.Context, in input) error {
	p, err := openPlace(ctx, in.args[0])
	if err != nil {
		return err
	}
	return p.announced(ctx, p.webhook(ctx, in, in.args[1]))
}

// imageTag is what a tag may be (OCI distribution specification, 1.1: "reference").
var imageTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

func (p *place) webhook(ctx context.Context, in input, service string) error {
	if err := p.env.Settings.MayDeploy(p.env.Name, p.branch()); err != nil {
		return badInput{err}
	}
	tag := in.flags["tag"]
	if _, given := in.flags["tag"]; given && !imageTag.MatchString(tag) {
		return badInput{fmt.Errorf("-tag=%s is no tag of an image: write it as -tag=20240725_4605cc6e", tag)}
	}
	hook, err := p.webhookOf(ctx, service)
	if err != nil {
		return badInput{err}
	}
	defer p.close()
	if err := p.connect(ctx); err != nil {
		return err
	}
	state, err := live.Read(ctx, p.host.Docker)
	if err != nil {
		return interrupted(ctx, err)
	}
	target := state.Service(p.env.Stack + "_" + service)
	if target == nil || target.Spec.TaskTemplate.ContainerSpec == nil {
		return badInput{fmt.Errorf("%s has no service %s on %s: %s", p.env.Stack, service, p.host.Name, thereAre(state, p.env.Stack))}
	}
	now := target.Spec.TaskTemplate.ContainerSpec.Image
	if tag == "" {
		if tag, err = p.tagFor(ctx, now, service); err != nil {
			return err
		}
	}
	image, err := portainer.Retag(now, tag)
	if err != nil {
		return badInput{err}
	}
	if hook == nil {
		if hook, err = p.ownWebhook(ctx, service, target.ID); err != nil {
			return err
		}
	}
	task := p.show.Start("looking up the digest")
	digests, err := preflight.Digests(ctx, p.host.Docker, []string{image}, p.keys.EncodedAuth)
	task.Done(err)
	if err != nil {
		return interrupted(ctx, err)
	}
	r, err := p.request(in, nil, "webhook of "+service)
	if err != nil {
		return err
	}
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p.did.reason, p.did.record = fmt.Sprintf("webhook of %s: %s → %s", service, cmp.Or(tagOf(now), "no tag"), tag), r.Record
	r.Failed = func(outcomes []watch.Outcome) { writeFailures(p.show.Aside(), outcomes) }
	v, err := apply.Hooked(ctx, r, p.env.Stack, apply.Hook{
		Service: target.Spec.Name, Image: image + "@" + digests[image],
		Call: func(ctx context.Context) error {
			err := hook.Call(ctx, tag)
			if lost := (portainer.LostError{}); errors.As(err, &lost) {
				return apply.UnsureError{Cause: err}
			}
			return err
		},
	})
	return p.conclude(ctx, v, err, asJSON)
}

// thereAre names a stack's services.
func thereAre(state *live.State, stack string) string {
	var names []string
	for _, s := range state.Of(stack) {
		names = append(names, live.Key(stack, s.Spec))
	}
	if names == nil {
		return "it has none at all; deploy it first, or check project: in " + pipeline.SettingsFile
	}
	return "there are " + strings.Join(names, ", ")
}

// tagFor is the tag that the repository's service of this image has now.
func (p *place) tagFor(ctx context.Context, image, service string) (string, error) {
	tags, err := p.tags(ctx)
	if err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(image, "@")
	name = strings.TrimSuffix(name[strings.LastIndex(name, "/")+1:], ":"+tagOf(image))
	if tag := tags[name]; tag != "" {
		return tag, nil
	}
	return "", badInput{fmt.Errorf("-tag=TAG is missing: no service of this repository has the image %s, so that its tag is not known for %s", name, service)}
}

// webhookOf reads where the webhook of a service is: environments.ENV.webhooks, or a variable
// such as PING_WEBHOOK_URL. nil where neither says it.
func (p *place) webhookOf(ctx context.Context, service string) (*portainer.Webhook, error) {
	vars := environment.Vars{All: p.all, Env: p.env.Name}
	name := webhookVariable(service)
	address, err := secretVariable(ctx, vars, name)
	if err != nil {
		return nil, err
	}
	if address.Empty() && p.env.Settings.Webhooks[service] != "" {
		name = fmt.Sprintf("environments.%s.webhooks.%s in %s", p.env.Name, service, pipeline.SettingsFile)
		if address, err = p.references.Resolve(ctx, p.env.Settings.Webhooks[service]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if address.Empty() {
		if portainer.Is(p.env.Server.Server) {
			return nil, nil
		}
		return nil, fmt.Errorf("the address of the webhook of %s is not known: set %s to what Portainer shows at the service, or environments.%s.webhooks.%s in %s to a reference to it", service, webhookVariable(service), p.env.Name, service, pipeline.SettingsFile)
	}
	p.env.Secret = append(p.env.Secret, webhookSecrets(address)...)
	hook, err := portainer.NewWebhook(address, p.env.Server.PortainerCA)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return hook, nil
}

// webhookVariable is the variable that has a service's webhook: PING_WEBHOOK_URL.
func webhookVariable(service string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(service)) + "_WEBHOOK_URL"
}

// webhookSecrets are an address and the code in it, which alone is enough for who knows the host.
func webhookSecrets(address secret.Value) []secret.Value {
	text := address.Reveal()
	return []secret.Value{address, secret.New(text[strings.LastIndex(text, "/")+1:])}
}

// ownWebhook asks the Portainer that the environment is reached through.
func (p *place) ownWebhook(ctx context.Context, service, id string) (*portainer.Webhook, error) {
	hook, err := p.host.Portainer().Webhook(ctx, id)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	if hook == nil {
		return nil, badInput{fmt.Errorf("service %s has no webhook: switch it on in Portainer at the service, or set %s. Through Portainer, deploy %s needs none", service, webhookVariable(service), p.env.Name)}
	}
	return hook, nil
}
