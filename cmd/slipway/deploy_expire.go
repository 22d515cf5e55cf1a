package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"slipway/deploy/apply"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/reviewapp"
)

// deployExpire removes the review apps whose time is up, from the Swarm of an environment.
func deployExpire(ctx context.Context, in input) error {
	dry, err := in.flag("dryRun")
	if err != nil {
		return err
	}
	pattern := "*"
	if v, ok := in.flags["env"]; ok {
		pattern = v
	}
	if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
		return badInput{fmt.Errorf("-env=%s is no pattern: write a name, or one with * for any characters (mr-*)", pattern)}
	}
	p, state, err := reachOf(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	now, err := reviewapp.Now(ctx, p.host.Docker)
	if err != nil {
		return interrupted(ctx, err)
	}
	r, err := p.request(in, nil, "expire")
	if err != nil {
		return err
	}
	var lines []string
	var errs []error
	for _, app := range reviewapp.Apps(state.Configs, p.env.Project, pattern) {
		switch {
		case !app.Expired(now):
			lines = append(lines, fmt.Sprintf("%s: stays for %s", app.Stack, app.Expires.Sub(now).Round(time.Second)))
		case dry:
			lines = append(lines, fmt.Sprintf("%s: would be removed, its time was up %s ago", app.Stack, now.Sub(app.Expires).Round(time.Second)))
			for _, what := range apply.Removable(state, app.Stack) {
				lines = append(lines, "  "+what)
			}
		default:
			removed, err := p.expire(ctx, r, state, app)
			for _, what := range removed {
				lines = append(lines, "removed "+what)
			}
			switch {
			case errors.Is(err, lock.ErrHeld), errors.Is(err, errRenewed):
				lines = append(lines, fmt.Sprintf("%s: stays, for it is being deployed", app.Stack))
			case err != nil:
				errs = append(errs, fmt.Errorf("removing %s: %w", app.Stack, interrupted(ctx, err)))
			default:
				lines = append(lines, fmt.Sprintf("%s: removed, its time was up %s ago", app.Stack, now.Sub(app.Expires).Round(time.Second)))
			}
		}
	}
	p.close()
	if len(lines)+len(errs) == 0 {
		fmt.Fprintf(os.Stderr, "slipway: %s has no review apps there\n", p.env.Project)
	}
	for _, l := range lines {
		fmt.Println(l)
	}
	return errors.Join(errs...)
}

// errRenewed says that an app was deployed again after it was found expired.
var errRenewed = errors.New("it was deployed again")

// expire removes one app. With its lock held it looks again whether its time is up.
func (p *place) expire(ctx context.Context, r apply.Request, state *live.State, app reviewapp.App) ([]string, error) {
	r.Check = func(ctx context.Context, state *live.State, _ *diff.Plan) ([]string, error) {
		now, err := reviewapp.Now(ctx, p.host.Docker)
		if again := reviewapp.Of(state.Configs, app.Stack); err == nil && (again == nil || !again.Expired(now)) {
			err = errRenewed
		}
		return nil, err
	}
	r.Emptied = p.volumes(state, app.Stack)
	return apply.Remove(ctx, r, app.Stack)
}
