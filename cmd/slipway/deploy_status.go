package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"slipway/deploy/addresses"
	"slipway/deploy/apply"
	"slipway/deploy/lock"
	"slipway/deploy/release"
	"slipway/deploy/watch"
)

// status is what deploy:status tells.
type status struct {
	Stack    string          `json:"stack"`
	Release  *release.Entry  `json:"release,omitempty"` // the last one that went well
	Last     string          `json:"last,omitempty"`    // how the newest one ended, where that is another
	Lock     string          `json:"lock,omitempty"`
	Review   *release.Review `json:"review,omitempty"` // of a review app: when it goes
	Services []watch.Outcome `json:"services"`
	// Ports are where the services are reached from outside.
	Ports []addresses.Address `json:"ports,omitempty"`
	// Drift is what differs from the release, a line each.
	Drift []string `json:"drift"`
}

// deployStatus tells what runs, and where that is not what the last release wanted.
func deployStatus(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	detailed, err := in.flag("detailedExitcode")
	if err != nil {
		return err
	}
	p, state, err := reachOf(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	s := status{Stack: p.env.Stack, Services: []watch.Outcome{}, Drift: []string{}}
	owner, held := lock.Held(state.Configs, p.env.Stack)
	if held {
		s.Lock = "locked by " + owner.String()
	}
	entries, _ := release.Entries(state.Configs, p.env.Stack)
	if len(entries) > 0 {
		s.Review = entries[0].Review
	}
	for i := range entries {
		if entries[i].State == release.Done {
			s.Release = &entries[i]
			break
		}
	}
	if len(entries) > 0 && (s.Release == nil || entries[0].Number != s.Release.Number) {
		s.Last = fmt.Sprintf("release %d: %s %s", entries[0].Number, stateOf(entries[0], held), entries[0].Reason)
	}
	s.Services, err = watch.Look(ctx, p.host.Docker, apply.Goals(state, p.env.Stack))
	if err != nil {
		return interrupted(ctx, err)
	}
	if s.Release != nil {
		s.Drift = apply.Drift(state, s.Release)
	}
	s.Ports = addresses.Of(state, p.env.Stack)
	p.close()
	if asJSON {
		err = writeJSON(os.Stdout, s)
	} else {
		s.print()
	}
	if err == nil && detailed && len(s.Drift) > 0 {
		return exitError{apply.ExitChanges, &shownError{fmt.Errorf("what is live is not what was released")}}
	}
	return err
}

func (s status) print() {
	if s.Release == nil {
		fmt.Printf("%s: no release is recorded\n", s.Stack)
	} else {
		fmt.Printf("%s: release %d of %s, commit %.8s, by %s\n", s.Stack, s.Release.Number, s.Release.CreatedAt.UTC().Format(time.RFC3339), s.Release.Commit, s.Release.Who)
	}
	if r := s.Review; r != nil {
		fmt.Printf("a review app, made from %s: it goes after %s\n", r.From, r.Expires.UTC().Format(time.RFC3339))
	}
	for _, line := range []string{s.Last, s.Lock} {
		if line != "" {
			fmt.Println(line)
		}
	}
	for _, o := range s.Services {
		fmt.Printf("%-20s %-12s %d/%d", o.Key, map[bool]string{true: "runs", false: string(o.State)}[o.State == watch.Done], o.Running, o.Wanted)
		if o.Reason != nil {
			fmt.Printf("  %s", o.Reason.Message)
		}
		fmt.Println()
	}
	for _, a := range s.Ports {
		fmt.Println(a)
	}
	for _, d := range s.Drift {
		fmt.Println("differs:", d)
	}
	if s.Release != nil && len(s.Drift) == 0 {
		fmt.Println("all is as released")
	}
}
