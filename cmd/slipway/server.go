package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/moby/moby/client"

	"slipway/deploy/environment"
	"slipway/deploy/remote"
	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/server/setup"
)

// preparation is a server:setup under way.
type preparation struct {
	*place
	target ssh.Options     // as the admin
	deploy remote.Settings // as the user that deploys
	want   setup.Wanted
	dryRun bool
}

// serverSetup prepares a host for deploys.
func serverSetup(ctx context.Context, in input) error {
	p, err := openPlace(ctx, in.args[0])
	if err != nil {
		return err
	}
	s, err := p.preparation(ctx, in)
	if err != nil {
		return badInput{err}
	}
	defer p.close()
	if p.show, err = p.display("server " + p.env.Name); err != nil {
		return err
	}
	if err := s.swarmToJoin(ctx); err != nil {
		return interrupted(ctx, err)
	}
	return interrupted(ctx, s.run(ctx))
}

// preparation reads what the person wants, without connecting to anything.
func (p *place) preparation(ctx context.Context, in input) (*preparation, error) {
	vars := environment.Vars{All: p.all, Env: p.env.Name}
	if err := p.env.Reachable(); err != nil && in.flags["host"] == "" {
		return nil, err
	}
	s := &preparation{place: p, deploy: p.env.Server}
	var err error
	if s.dryRun, err = in.flag("dryRun"); err != nil {
		return nil, err
	}
	if s.want.LeaveSSH, err = in.flag("noSshd"); err != nil {
		return nil, err
	}
	s.deploy.User = cmp.Or(s.deploy.User, "deploy")
	if host := in.flags["host"]; host != "" {
		if strings.Contains(host, "@") {
			return nil, fmt.Errorf("-host=%s: write the host alone; the admin is named with -admin=, and the user that deploys in SERVER_HOST or USER_NAME", host)
		}
		if o, fault := p.env.Server.SSH(); fault == nil {
			s.deploy.User = o.User
		}
		s.deploy.Server = host
	}
	o, err := s.deploy.SSH()
	if err != nil {
		return nil, err
	}
	s.want.User, s.want.Admin = o.User, cmp.Or(in.flags["admin"], vars.Get("SERVER_ADMIN"), "root")
	s.want.Dir, s.want.Advertise = p.env.Dir, in.flags["advertise"]
	admin := s.deploy
	if _, host, ok := strings.Cut(admin.Server, "@"); ok {
		admin.Server = host
	}
	admin.User, admin.Key = s.want.Admin, secret.New(cmp.Or(in.flags["adminKey"], vars.Get("SERVER_ADMIN_KEY")))
	if s.target, err = admin.SSH(); err != nil {
		return nil, err
	}
	if s.want.Key, err = s.deployKey(in); err != nil {
		return nil, err
	}
	switch role, host := in.flags["join"], in.flags["host"]; {
	case role == "" && host == "":
	case role != "worker" && role != "manager":
		return nil, errors.New("-host= names a host that is to join the Swarm of SERVER_HOST: say as what, with -join=worker or -join=manager")
	case host == "":
		return nil, errors.New("-join= is for a host that is to join the Swarm of SERVER_HOST: name that host with -host=")
	default:
		s.want.Join = &setup.JoinWanted{Role: role}
	}
	for _, m := range strings.FieldsFunc(cmp.Or(in.flags["mirror"], vars.Get("REGISTRY_MIRROR")), func(r rune) bool { return r == ',' || r == ' ' }) {
		if !strings.Contains(m, "://") {
			m = "https://" + m
		}
		s.want.Mirrors = append(s.want.Mirrors, m)
	}
	if err := s.registry(in, vars); err != nil {
		return nil, err
	}
	return s, s.want.Check()
}

// deployKey is the public key of the user that deploys.
func (s *preparation) deployKey(in input) (string, error) {
	file := in.flags["deployKey"]
	switch {
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the public key of the user that deploys: %w", err)
		}
		// The private half usually lies beside it, and shows in the end that the login works.
		private, beside := strings.CutSuffix(file, ".pub")
		if _, err := os.Stat(private); beside && err == nil && s.deploy.Key.Empty() {
			s.deploy.Key = secret.New(private)
		}
		return string(data), nil
	case s.deploy.Key.Empty():
		return "", fmt.Errorf("there is no key for the user that deploys: make one (ssh-keygen -t ed25519 -N '' -f deploy_key) and say -deployKey=deploy_key.pub, or set SSH_KEY to the private one")
	}
	return setup.PublicOf(s.deploy.Key)
}

// registry reads the flags of a registry of one's own.
func (s *preparation) registry(in input, vars environment.Vars) error {
	if file := in.flags["registryCA"]; file != "" {
		authority, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading the certificate of the registry's authority: %w", err)
		}
		address, _, _ := strings.Cut(s.env.Variables["REGISTRY"], "/")
		if address == "" {
			return errors.New("-registryCA= is for the registry of REGISTRY, which is not set")
		}
		s.want.Trust = &setup.Trust{Registry: address, Authority: string(authority)}
	}
	name := in.flags["registry"]
	if name == "" {
		return nil
	}
	r := &setup.Registry{Port: "5000"}
	if host, port, ok := strings.Cut(name, ":"); ok {
		name, r.Port = host, port
	}
	r.Name = name
	if vars.Get("REGISTRY_USER") == "" || vars.Get("REGISTRY_PASSWORD") == "" {
		return errors.New("a registry of one's own has a user and a password: set REGISTRY_USER and REGISTRY_PASSWORD")
	}
	for flag, to := range map[string]func(string){
		"registryCert": func(v string) { r.Certificate = v }, "registryKey": func(v string) { r.Key = secret.New(v) },
	} {
		if file := in.flags[flag]; file != "" {
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("reading what -%s names: %w", flag, err)
			}
			to(string(data))
		}
	}
	s.want.Registry = r
	return nil
}

// swarmToJoin asks a manager of the Swarm for what is needed to join it.
func (s *preparation) swarmToJoin(ctx context.Context) error {
	j := s.want.Join
	if j == nil {
		return nil
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	docker := s.host.Docker
	of, err := docker.SwarmInspect(ctx, client.SwarmInspectOptions{})
	if err != nil {
		return fmt.Errorf("asking %s how to join its Swarm: %w", s.host.Name, err)
	}
	info, err := docker.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("asking %s about its Swarm: %w", s.host.Name, err)
	}
	nodes, err := docker.NodeList(ctx, client.NodeListOptions{})
	if err != nil {
		return fmt.Errorf("listing the Swarm's nodes: %w", err)
	}
	j.Token = secret.New(of.Swarm.JoinTokens.Worker)
	if j.Role == "manager" {
		j.Token = secret.New(of.Swarm.JoinTokens.Manager)
	}
	for _, m := range info.Info.Swarm.RemoteManagers {
		j.Managers = append(j.Managers, m.Addr)
	}
	for _, n := range nodes.Items {
		j.Nodes = append(j.Nodes, n.ID)
	}
	return nil
}
