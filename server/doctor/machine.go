package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/nodes"
	"slipway/deploy/remote"
)

// probe prints what parseProbe reads, as the user that deploys. $1 is where Docker has its data.
const probe = `df -Pk "$1" | tail -n 1
cat /proc/meminfo
for i in /sys/class/net/*; do echo "mtu ${i##*/} $(cat "$i/mtu")"; done
ip -o address show`

// machine asks a node's machine for its time, disk, memory and network.
func (g *gathering) machine(ctx context.Context, host *remote.Host, n swarm.Node) {
	began := time.Now()
	info, err := host.Docker.Info(ctx, client.InfoOptions{})
	ended := time.Now()
	if err != nil {
		g.note("%s was not asked for its time: %v", name(n), err)
		return
	}
	h := Host{}
	if host != g.manager {
		if now, err := time.Parse(time.RFC3339Nano, info.Info.SystemTime); err == nil {
			h.Ahead = skew(now, began, ended, g.facts.Now, g.asked)
		}
	}
	over, err := host.SSH(ctx)
	switch {
	case err == nil && over == nil:
		g.note("the disk, memory and network of %s were not looked at: that is done over SSH", name(n))
	case err == nil:
		got, fault := over.Run(ctx, "sh -c '"+probe+"' probe '"+strings.ReplaceAll(info.Info.DockerRootDir, "'", `'\''`)+"'", nil)
		if err = fault; err == nil {
			parseProbe(&h, got.Stdout, nodes.Address(n))
		}
	}
	if err != nil {
		g.note("the disk, memory and network of %s were not looked at: %v", name(n), err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.facts.Hosts[n.ID] = h
}

// skew is how far a clock is ahead of the manager's, which showed managerNow at asked by this
// machine's clock. What an answer may have taken on its way is given as right.
func skew(there, began, ended, managerNow, asked time.Time) time.Duration {
	least, most := managerNow.Add(began.Sub(asked)), managerNow.Add(ended.Sub(asked))
	switch {
	case there.Before(least):
		return there.Sub(least)
	case there.After(most):
		return there.Sub(most)
	}
	return 0
}

// parseProbe reads what probe prints. The MTU is that of the interface with the node's address.
func parseProbe(h *Host, text, address string) {
	mtus := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		switch {
		case i == 0 && len(f) >= 4: // POSIX df -P: name, size, used, available, …
			h.Disk, h.DiskFree = kib(f[1]), kib(f[3])
		case len(f) == 3 && f[0] == "MemTotal:":
			h.Memory = kib(f[1])
		case len(f) == 3 && f[0] == "MemAvailable:":
			h.Available = kib(f[1])
		case len(f) == 3 && f[0] == "mtu":
			mtus[f[1]], _ = strconv.Atoi(f[2])
		case len(f) >= 4 && (f[2] == "inet" || f[2] == "inet6"):
			if ip, _, _ := strings.Cut(f[3], "/"); ip == address {
				h.MTU = mtus[f[1]]
			}
		}
	}
}

func kib(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n << 10
}

// ports shakes hands where services publish a port that is usual for TLS, as the node's own
// machine. Whom the certificate is for does not matter here.
func (g *gathering) ports(ctx context.Context, host *remote.Host, _ swarm.Node) {
	over, err := host.SSH(ctx)
	if err != nil || over == nil {
		return
	}
	for _, s := range g.facts.State.Services {
		for _, p := range s.Endpoint.Ports {
			if p.Protocol != network.TCP || p.PublishedPort == 0 || !usual(p.PublishedPort) && !usual(p.TargetPort) {
				continue
			}
			conn, err := over.DialTCP(ctx, net.JoinHostPort("127.0.0.1", fmt.Sprint(p.PublishedPort)))
			if err != nil {
				continue // a port in host mode is not on every node
			}
			shake := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // only to be looked at
			err = shake.HandshakeContext(ctx)
			leaves := shake.ConnectionState().PeerCertificates
			_ = conn.Close()
			if err == nil && len(leaves) > 0 {
				g.mu.Lock()
				if !g.served[s.Spec.Name+strconv.Itoa(int(p.PublishedPort))] {
					g.served[s.Spec.Name+strconv.Itoa(int(p.PublishedPort))] = true
					g.facts.Served = append(g.facts.Served, Served{Service: s.Spec.Name, Port: p.PublishedPort, Leaf: leaves[0]})
				}
				g.mu.Unlock()
			}
		}
	}
}

func usual(port uint32) bool { return port == 443 || port == 8443 }
