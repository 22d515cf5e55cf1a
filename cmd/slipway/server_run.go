package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh/knownhosts"

	"slipway/deploy/remote"
	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/server/setup"
)

// run does it, or shows it.
func (s *preparation) run(ctx context.Context) error {
	task := s.show.Start("looking at " + s.target.String())
	host, facts, plan, err := s.plan(ctx)
	task.Done(err)
	if host != nil {
		defer func() { _ = host.Close() }()
	}
	if err != nil {
		return err
	}
	if s.dryRun {
		did, err := host.Preview(ctx, plan, os.Stdout)
		s.close()
		s.notes(plan)
		if err == nil {
			fmt.Fprintf(os.Stderr, "slipway: %s: %d of %d steps would be done, and nothing was changed\n", host, len(did.Changed), len(plan.Steps))
		}
		return err
	}
	did, err := host.Apply(ctx, plan, s.show)
	if err == nil {
		facts, err = host.Facts(ctx)
	}
	if err != nil {
		s.close()
		for _, c := range did.Changed {
			fmt.Fprintln(os.Stderr, "slipway: done before that:", c)
		}
		return err
	}
	line := facts.KnownHosts(s.names(facts)...)
	proof := s.prove(ctx, line)
	s.close()
	s.notes(plan)
	for _, c := range did.Changed {
		fmt.Fprintln(os.Stderr, "slipway: changed:", c)
	}
	if len(did.Changed) == 0 {
		fmt.Fprintf(os.Stderr, "slipway: %s: nothing to change, all %d steps had been done\n", host, did.Settled)
	}
	if proof != nil {
		return proof
	}
	fmt.Fprintln(os.Stderr, "slipway: the line for SSH_KNOWN_HOSTS, which pins the host's key:")
	fmt.Println(line)
	return nil
}

// plan says what has to be so on the host.
func (s *preparation) plan(ctx context.Context) (*setup.Host, setup.Facts, *setup.Plan, error) {
	password := secret.New(s.variable("SERVER_ADMIN_PASSWORD"))
	host, err := setup.Open(ctx, s.target, password)
	if err != nil {
		return nil, setup.Facts{}, nil, err
	}
	facts, err := host.Facts(ctx)
	if err != nil {
		return host, facts, nil, err
	}
	if r := s.want.Registry; r != nil {
		r.Users, r.Same, err = setup.RegistryUser(facts.RegistryUsers, s.variable("REGISTRY_USER"), secret.New(s.variable("REGISTRY_PASSWORD")))
		if err != nil {
			return host, facts, nil, badInput{err}
		}
	}
	plan, err := setup.Make(facts, s.want)
	if err != nil {
		err = badInput{fmt.Errorf("%s: %w", host, err)}
	}
	return host, facts, plan, err
}

// names are how known_hosts calls the host: as it was reached here, and as the Swarm's other nodes
// reach it, since deploys go on to them through a manager.
func (s *preparation) names(facts setup.Facts) []string {
	return []string{knownhosts.Normalize(s.target.Address()), facts.Swarm.Address}
}

// prove logs in as the user that deploys, and uses Docker.
func (s *preparation) prove(ctx context.Context, line string) error {
	if s.deploy.Key.Empty() && s.deploy.Agent == "" {
		s.warnings = append(s.warnings, "that "+s.want.User+" can log in and use Docker was not tried, since the private key is not here (SSH_KEY)")
		return nil
	}
	if public, err := setup.PublicOf(s.deploy.Key); !s.deploy.Key.Empty() && (err != nil || !setup.SameKey(public, s.want.Key)) {
		s.warnings = append(s.warnings, "that "+s.want.User+" can log in and use Docker was not tried, since SSH_KEY is another key than the one of -deployKey")
		return nil
	}
	task := s.show.Start("logging in as " + s.want.User + " and using Docker")
	as := s.deploy
	as.KnownHosts = line + "\n" + s.pinned()
	host, err := remote.Connect(ctx, as)
	if err == nil {
		if s.want.Join == nil || s.want.Join.Role == "manager" {
			err = host.Manager(ctx)
		}
		_ = host.Close()
	}
	if errors.Is(err, ssh.ErrDenied) && s.deploy.Key.Empty() {
		task.Done(nil)
		s.warnings = append(s.warnings, "that "+s.want.User+" can log in and use Docker was not seen, since the agent does not hold the key")
		return nil
	}
	task.Done(err)
	if err != nil {
		return fmt.Errorf("the host was prepared, and a deploy would fail all the same: %w", err)
	}
	return nil
}

// pinned are the known hosts that the admin's login went by: a jump host's key is among them.
func (s *preparation) pinned() string {
	known := s.target.KnownHosts
	if strings.ContainsAny(known, " \n") {
		return known
	}
	return readFile(known)
}

func (s *preparation) notes(plan *setup.Plan) {
	for _, n := range append(plan.Notes, s.warnings...) {
		fmt.Fprintln(os.Stderr, "slipway: note:", n)
	}
}

// variable is an environment variable's value, followed where it is a reference.
func (s *preparation) variable(name string) string {
	return s.references.Env(name)
}
