package setup

import (
	"fmt"
	"slices"
	"strings"
)

const inSwarm = `[ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = active ]`

// membership makes a Swarm of the host's own, or joins one.
func membership(p *Plan, f Facts, w Wanted) error {
	switch f.Swarm.State {
	case "", "inactive":
	case "active":
		return settled(p, f, w)
	default:
		return fmt.Errorf("Docker on this host is in a Swarm that does not work (%s): put that right first; look there with: docker info", f.Swarm.State)
	}
	advertise, err := advertised(f, w)
	if err != nil {
		return err
	}
	if w.Join == nil {
		p.add(Step{
			Does: "a Swarm, whose first manager this host is, at " + advertise, Check: inSwarm,
			Run: []string{"docker swarm init --advertise-addr " + quote(advertise) + " > /dev/null"}, // it prints a token
		})
		return nil
	}
	p.add(Step{
		Does: "a " + w.Join.Role + " of the Swarm at " + strings.Join(w.Join.Managers, ", ") + ", at " + advertise, Check: inSwarm,
		Join: &Join{Managers: w.Join.Managers, Advertise: advertise, Token: w.Join.Token, Role: w.Join.Role},
	})
	return nil
}

// settled is for a host that is in a Swarm: the right one, in the right role.
func settled(p *Plan, f Facts, w Wanted) error {
	switch {
	case w.Join == nil && !f.Swarm.Manager:
		return fmt.Errorf("this host is a worker of a Swarm, and deploys need a manager: let a manager run `docker node promote %s`, or name a manager in SERVER_HOST; for setting up a worker, say -join=worker with -host", f.Swarm.NodeID)
	case w.Join == nil:
		p.add(Step{Does: "a Swarm, of which this host is a manager", Check: inSwarm})
	case !slices.Contains(w.Join.Nodes, f.Swarm.NodeID):
		return fmt.Errorf("this host is in another Swarm than the one to join at %s: let it leave that one first (docker swarm leave), if nothing there is needed any more", strings.Join(w.Join.Managers, ", "))
	case f.Swarm.Manager != (w.Join.Role == "manager"):
		verb := "promote"
		if f.Swarm.Manager {
			verb = "demote"
		}
		return fmt.Errorf("this host is in the Swarm already, and no %s: let a manager run `docker node %s %s`", w.Join.Role, verb, f.Swarm.NodeID)
	default:
		p.add(Step{Does: "a " + w.Join.Role + " of the Swarm at " + strings.Join(w.Join.Managers, ", "), Check: inSwarm})
	}
	if w.Advertise != "" && f.Swarm.Address != "" && w.Advertise != f.Swarm.Address {
		p.Notes = append(p.Notes, fmt.Sprintf("the host is in the Swarm as %s, not as %s: only leaving and joining anew changes that", f.Swarm.Address, w.Advertise))
	}
	return nil
}

// advertised is the address by which other nodes reach the host.
func advertised(f Facts, w Wanted) (string, error) {
	switch {
	case w.Advertise != "":
		if !slices.Contains(f.Addresses, w.Advertise) {
			return "", fmt.Errorf("-advertise=%s is no address of this host, which has %s", w.Advertise, strings.Join(f.Addresses, ", "))
		}
		return w.Advertise, nil
	case len(f.Addresses) == 1:
		return f.Addresses[0], nil
	case len(f.Addresses) == 0:
		return "", fmt.Errorf("this host shows no network address but its own loopback: give it one, or name it with -advertise=")
	}
	return "", fmt.Errorf("this host has several addresses (%s): name the one by which the other nodes reach it with -advertise=, a private one where there is", strings.Join(f.Addresses, ", "))
}
