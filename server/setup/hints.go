package setup

import (
	"fmt"
	"slices"
	"strings"
)

// hints say what a person has to see to: server:setup touches no firewall and no clock.
func hints(f Facts, w Wanted) (notes []string) {
	notes = append(notes,
		"firewall: let the other nodes, and nobody else, reach 2377/tcp (managers only), 7946/tcp, 7946/udp and 4789/udp; what comes to 4789 is believed without a question",
		"firewall: let CI and people who deploy reach sshd's port. Ports that services publish are open to all: Docker's rules come before those of the host's firewall")
	if r := w.Registry; r != nil {
		notes = append(notes, fmt.Sprintf("firewall: let the nodes and CI reach the registry's port, %s/tcp", r.Port))
	}
	switch f.Firewall {
	case "ufw":
		notes = append(notes, "ufw is active there: for each other node, ufw allow from ADDRESS to any port 2377,7946 proto tcp; ufw allow from ADDRESS to any port 7946,4789 proto udp")
	case "firewalld":
		notes = append(notes, "firewalld is active there: for each other node, firewall-cmd --permanent --zone=trusted --add-source=ADDRESS; firewall-cmd --reload")
	case "nftables":
		notes = append(notes, "nftables is active there: its rules are in /etc/nftables.conf")
	}
	if !f.TimeSynced {
		notes = append(notes, "the host's clock is not known to be kept right: install systemd-timesyncd or chrony, unless whoever runs the machine sees to that")
	}
	return notes
}

// KnownHosts is the line that pins the host's key for these addresses ("host", "[host]:port"), ""
// where the host has none. One key is enough, of the best kind.
func (f Facts) KnownHosts(addresses ...string) string {
	for _, kind := range []string{"ssh-ed25519 ", "ecdsa-", "ssh-rsa "} {
		for _, key := range f.HostKeys {
			if !strings.HasPrefix(key, kind) {
				continue
			}
			var names []string
			for _, a := range addresses {
				if a != "" && !slices.Contains(names, a) {
					names = append(names, a)
				}
			}
			return strings.Join(names, ",") + " " + strings.Join(strings.Fields(key)[:2], " ")
		}
	}
	return ""
}
