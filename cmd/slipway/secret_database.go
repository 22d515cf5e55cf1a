package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"slipway/deploy/live"
	"slipway/deploy/remote"
	"slipway/deploy/secrets"
	"slipway/secret"
)

// toldByHand is what -command says where the database has the new value already.
const toldByHand = "none"

// databaseCommand is what tells a database its new password.
type databaseCommand struct{ service, command string }

// examplePostgres changes the password of the user that the official image makes. The value
// goes from pipe to pipe: it is in no argument and in no environment.
const examplePostgres = `-command='{ printf "alter role current_user password \$pw\$"; cat; printf "\$pw\$"; } | psql -q -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres'`

// command decides what is to be run where. A database that reads its password once, when it
// makes its data, would lock all its users out.
func (r *rotation) command(state *live.State) (*databaseCommand, error) {
	command, service := r.in.flags["command"], r.in.flags["service"]
	databases := secrets.Databases(r.users)
	switch {
	case command == toldByHand && service != "":
		return nil, errors.New("-command=none runs nothing, so that -service has no meaning beside it")
	case command == toldByHand:
		return nil, nil
	case command == "" && service != "":
		return nil, errors.New("-service says where -command runs, and there is none")
	case command == "" && len(databases) == 0:
		return nil, nil
	case command == "":
		return nil, fmt.Errorf("%s reads the secret %s only when it makes its data, so that a new value has to be told to it: add a command that does so, which a shell in its container runs with the new value on standard input. For PostgreSQL:\n  %s\nWhere it knows the new value already, or the secret is not its password, say -command=%s",
			databases[0].Key(), r.base, examplePostgres, toldByHand)
	case service != "":
		name := r.env.Stack + "_" + service
		if state.Service(name) == nil {
			return nil, fmt.Errorf("-service=%s: %s has no such service", service, r.env.Stack)
		}
		return &databaseCommand{name, command}, nil
	}
	var keys []string
	for _, d := range databases {
		keys = append(keys, d.Key())
	}
	slices.Sort(keys)
	switch keys = slices.Compact(keys); len(keys) {
	case 1:
		return &databaseCommand{databases[0].Service, command}, nil
	case 0:
		return nil, fmt.Errorf("no service that uses the secret %s looks like a database: say with -service=SERVICE in whose container the command is to run", r.base)
	}
	return nil, fmt.Errorf("several services that use the secret %s look like databases (%s): say with -service=SERVICE in whose container the command is to run", r.base, list(keys))
}

// run runs it in a container of the service, on whichever node that is.
func (d *databaseCommand) run(ctx context.Context, p *place, v secret.Value) error {
	state, err := live.Read(ctx, p.host.Docker) // tasks may have moved while the lock was waited for
	if err != nil {
		return err
	}
	task, node, err := secrets.Running(state, d.service)
	if err != nil {
		return err
	}
	docker, err := p.nodes.Docker(ctx, *node)
	host := cmp.Or(node.Description.Hostname, node.ID)
	switch {
	case errors.Is(err, remote.ErrNotOverSSH):
		return fmt.Errorf("%s runs on the node %s, and its commands can be run from here only on the node of this Docker daemon, or over SSH: set SERVER_HOST to a server reached over SSH, or run the command on %s yourself with the new value, and rotate with that value and -command=%s", d.service, host, host, toldByHand)
	case errors.Is(err, remote.ErrNotPinned):
		return fmt.Errorf("%s runs on the node %s, whose host key is not pinned: add it to SSH_KNOWN_HOSTS, or run the command there yourself with the new value, and rotate with that value and -command=%s", d.service, host, toldByHand)
	case err != nil:
		return fmt.Errorf("reaching the node %s, where %s runs: %w", host, d.service, err)
	}
	show := p.show.Start("telling " + d.service + " the new value")
	err = secrets.Tell(ctx, docker, task, d.command, v)
	show.Done(err)
	var failed *secrets.FailedError
	switch {
	case errors.As(err, &failed):
		return fmt.Errorf("telling %s the new value: %w\nNo service was changed, and the old value is in effect; see that the command did not change the database before it failed", d.service, err)
	case err != nil:
		return fmt.Errorf("telling %s the new value: %w\nNo service was changed. Whether the database has the new value is not known: try it, and rotate again", d.service, err)
	}
	return nil
}
