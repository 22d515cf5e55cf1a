package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/swarm"
)

// quorum looks at how many managers there are. Raft needs more than half of them.
func quorum(f Facts) []Finding {
	n := len(managers(f))
	if n == 0 || n%2 == 1 {
		return nil
	}
	x := Finding{
		Rule: "quorum", Object: "managers", What: fmt.Sprintf("the Swarm has %d managers, an even number", n),
		Why: fmt.Sprintf("more than half must be up, so %d bear the loss of %d, just as %d do, and one more can fail", n, (n-1)/2, n-1),
		Do:  "add one (server:setup ENV -host=HOST -join=manager), or let one go: docker node demote NODE",
	}
	if n == 2 {
		x.What, x.Why = "the Swarm has two managers", "both must be up: with either gone nothing can be deployed and nothing is moved, so two are worse than one"
	}
	return []Finding{x}
}

// providerLabels are labels of nodes that say whose machines they are, or where they stand.
var providerLabels = []string{"provider", "host-provider", "hoster", "datacenter", "zone", "region"}

// providers looks whether all managers fall together.
func providers(f Facts) (out []Finding) {
	all := managers(f)
	if len(all) < 3 {
		return nil
	}
	for _, label := range providerLabels {
		value := all[0].Spec.Labels[label]
		if value == "" || slices.ContainsFunc(all, func(n swarm.Node) bool { return n.Spec.Labels[label] != value }) {
			continue
		}
		out = append(out, Finding{
			Rule: "providers", Object: label + "=" + value, What: fmt.Sprintf("all %d managers have the label %s=%s", len(all), label, value),
			Why: "what takes down that one place takes down all of them, and the Swarm with them",
			Do:  "promote nodes elsewhere (docker node promote NODE) and demote some here, so that no place has more than half",
		})
	}
	return out
}

// absent looks for nodes that are not there.
func absent(f Facts) (out []Finding) {
	all, up := managers(f), 0
	for _, m := range all {
		if m.ManagerStatus != nil && m.ManagerStatus.Reachability == swarm.ReachabilityReachable {
			up++
		}
	}
	for _, n := range f.State.Nodes {
		m := n.ManagerStatus
		switch {
		case m != nil && m.Reachability == swarm.ReachabilityUnreachable:
			spare := up - (len(all)/2 + 1)
			why := fmt.Sprintf("%d of %d managers are up; %d more may fail before the Swarm stands still", up, len(all), spare)
			if spare <= 0 {
				why = fmt.Sprintf("%d of %d managers are up: when one more fails, nothing can be deployed or moved", up, len(all))
			}
			out = append(out, Finding{Rule: "nodes", Object: name(n), What: fmt.Sprintf("the manager %s is not reachable", name(n)), Why: why,
				Do: "start it; look there with: journalctl -u docker. If it is gone for good: docker node demote, then docker node rm, " + name(n)})
		case n.Status.State != swarm.NodeStateReady:
			said := ""
			if n.Status.Message != "" {
				said = " (" + n.Status.Message + ")"
			}
			out = append(out, Finding{Rule: "nodes", Object: name(n), What: fmt.Sprintf("the node %s is %s%s", name(n), n.Status.State, said),
				Why: "its tasks run elsewhere, or nowhere where only it may run them", Do: "start it; look there with: journalctl -u docker. If it is gone for good: docker node rm " + name(n)})
		}
	}
	return out
}

// Below these a node counts as full.
const (
	lowDisk   = 0.10 // of the disk
	leastDisk = 1 << 30
	lowMemory = 0.10 // of the memory
)

// room looks for nodes that are full.
func room(f Facts) (out []Finding) {
	for _, n := range f.State.Nodes {
		h := f.Hosts[n.ID]
		if h.Disk > 0 && (float64(h.DiskFree) < lowDisk*float64(h.Disk) || h.DiskFree < leastDisk) {
			out = append(out, Finding{Rule: "room", Object: name(n),
				What: fmt.Sprintf("%s has %s left of its disk's %s", name(n), size(h.DiskFree), size(h.Disk)),
				Why:  "on a full disk images cannot be pulled, databases stop, and a manager loses its part of the Swarm's state",
				Do:   "look what takes it (docker system df; du -xh / | sort -h | tail), then docker image prune -a, or a larger disk. Containers' logs grow without a bound unless /etc/docker/daemon.json has log-opts"})
		}
		if h.Memory > 0 && float64(h.Available) < lowMemory*float64(h.Memory) {
			out = append(out, Finding{Rule: "room", Object: name(n),
				What: fmt.Sprintf("%s has %s of memory available of %s", name(n), size(h.Available), size(h.Memory)),
				Why:  "the kernel kills what asks for more, whatever that is",
				Do:   "look what takes it (docker stats); give services deploy.resources.limits.memory, move some to other nodes, or add memory"})
		}
	}
	return out
}

func size(bytes int64) string { return units.BytesSize(float64(bytes)) }

// mostSkew is how far clocks may be apart: more than asking for the time takes.
const mostSkew = 2 * time.Second

// clocks looks for nodes whose time is another.
func clocks(f Facts) (out []Finding) {
	for _, n := range f.State.Nodes {
		ahead := f.Hosts[n.ID].Ahead
		if ahead.Abs() <= mostSkew {
			continue
		}
		way := "ahead of"
		if ahead < 0 {
			way = "behind"
		}
		out = append(out, Finding{Rule: "clocks", Object: name(n),
			What: fmt.Sprintf("the clock of %s is %s %s the manager's", name(n), ahead.Abs().Round(time.Second), way),
			Why:  "certificates, among them the Swarm's own, are not valid yet or no longer to it, and its logs are in the wrong order",
			Do:   "let it keep time there: apt-get install systemd-timesyncd (or chrony); timedatectl set-ntp true"})
	}
	return out
}

// vxlanMTU is what an overlay network takes the nodes' own network to carry, unless told
// otherwise (libnetwork's overlay driver: 1500, of which 50 bytes are its own header).
const vxlanMTU = 1500

const optionMTU = "com.docker.network.driver.mtu"

// mtu looks for overlay networks whose packets are larger than what nodes can send each other.
func mtu(f Facts) []Finding {
	if len(f.State.Nodes) < 2 {
		return nil // nothing is sent
	}
	least, at := 0, ""
	for _, n := range f.State.Nodes {
		if m := f.Hosts[n.ID].MTU; m > 0 && (least == 0 || m < least) {
			least, at = m, name(n)
		}
	}
	var large []string
	for _, n := range f.State.Networks {
		if n.Driver != "overlay" || least == 0 {
			continue
		}
		carries := vxlanMTU
		if set := n.Options[optionMTU]; set != "" {
			if _, err := fmt.Sscan(set, &carries); err != nil {
				continue
			}
		}
		if carries > least {
			large = append(large, n.Name)
		}
	}
	if len(large) == 0 {
		return nil
	}
	return []Finding{{Rule: "mtu", Object: at,
		What: fmt.Sprintf("the network of %s carries packets of %d bytes, and these overlay networks make larger ones: %s", at, least, strings.Join(large, ", ")),
		Why:  "small answers get through between nodes and large ones do not: connections hang in the middle",
		Do: fmt.Sprintf("give networks of manifests driver_opts: {%s: \"%d\"}, under a new name or after removing the stack. For ingress, with no ports published: docker network rm ingress; docker network create -d overlay --ingress --opt %s=%d ingress",
			optionMTU, least, optionMTU, least)}}
}
