package reviewapp

import (
	"fmt"
	"path"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
	"slipway/deploy/release"
)

// App is a review app in a Swarm.
type App struct {
	Stack, Env, From string
	Expires          time.Time // by the Swarm's clock
}

// Of tells whether a stack is a review app, nil where it is none: its newest record says so.
func Of(configs []swarm.Config, stack string) *App {
	entries, _ := release.Entries(configs, stack)
	if len(entries) == 0 || entries[0].Review == nil {
		return nil
	}
	e := entries[0]
	return &App{Stack: stack, Env: e.Env, From: e.Review.From, Expires: e.Review.Expires}
}

// Apps are a project's review apps whose environments' names match a pattern ("mr-*"), by name.
func Apps(configs []swarm.Config, project, pattern string) (out []App) {
	for _, stack := range release.Stacks(configs) {
		a := Of(configs, stack)
		if a == nil || a.Stack != project+"_"+a.Env {
			continue
		}
		if ok, _ := path.Match(pattern, a.Env); ok {
			out = append(out, *a)
		}
	}
	return out
}

// Expired tells whether an app's time is up.
func (a App) Expired(now time.Time) bool { return !now.Before(a.Expires) }

// Clash says why a stack cannot be deployed as what it is to be, nil where it can: a review app
// made from another environment, or, with from "", an environment of its own. What is there
// as the one never becomes the other.
func Clash(state *live.State, stack, from string) error {
	app := Of(state.Configs, stack)
	entries, _ := release.Entries(state.Configs, stack)
	switch {
	case from == "" && app != nil:
		return fmt.Errorf("%s is a review app, made from %s: deploy it with -from=%s, or remove it first (deploy:remove %s)", stack, app.From, app.From, app.Env)
	case from == "" || app != nil:
		return nil
	case len(entries) > 0:
		return fmt.Errorf("%s is there and is no review app (release %d, by %s): as one it would be removed when its time is up. Take another name", stack, entries[0].Number, entries[0].Who)
	case len(state.Of(stack)) > 0:
		return fmt.Errorf("%s is there, and slipway has not deployed it: a review app needs a name of its own", stack)
	}
	return nil
}
