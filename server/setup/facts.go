package setup

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Facts are what a host says of itself before anything is changed.
type Facts struct {
	OS, Version, Hostname string // "debian", "12"
	Apt, Systemd          bool
	Docker                string // the daemon's version, "" without one
	DockerCE              bool   // apt has a source of Docker's own packages
	AppArmor              bool   // the kernel uses it
	DaemonJSON            string // the daemon's settings file as it is
	Addresses             []string
	Swarm                 Swarm
	SSHDropIns            bool   // sshd_config includes /etc/ssh/sshd_config.d
	SSHService            string // of systemd: "ssh", "sshd"
	HostKeys              []string
	Firewall              string // the one that is active: "ufw", "firewalld", "nftables"; "" for none that is known
	TimeSynced            bool
	Registry              string // its settings file as it is
	RegistryUsers         string // its htpasswd as it is
}

// Swarm is how the host's daemon sees its Swarm ("docker info", Swarm).
type Swarm struct {
	State   string `json:"LocalNodeState"`
	NodeID  string
	Address string `json:"NodeAddr"`
	Manager bool   `json:"ControlAvailable"`
}

// look prints the facts, each as NAME=BASE64. It changes nothing.
const look = `put() { printf '%s=' "$1"; base64 | tr -d '\n'; echo; }
try() { "$@" 2>/dev/null || true; }
yes() { if "$@" >/dev/null 2>&1; then echo yes; fi; }
( . /etc/os-release; printf %s "$ID" ) | put os
( . /etc/os-release; printf %s "${VERSION_ID:-}" ) | put version
uname -n | put hostname
yes command -v apt-get | put apt
yes test -d /run/systemd/system | put systemd
try dockerd --version | put docker
{ grep -rhs '^[^#]*download\.docker\.com' /etc/apt/sources.list /etc/apt/sources.list.d || try apt-cache policy docker-ce | grep 'Candidate: [0-9]' || true; } | put docker_ce
try cat /sys/module/apparmor/parameters/enabled | put apparmor
try cat /etc/docker/daemon.json | put daemon_json
try ip -o address show scope global | put addresses
try docker info --format '{{json .Swarm}}' | put swarm
{ try cat /etc/ssh/sshd_config | grep -i '^[[:space:]]*include[[:space:]].*/etc/ssh/sshd_config\.d/\*\.conf' || true; } | put ssh_drop_ins
{ for s in ssh sshd; do if systemctl cat "$s.service" >/dev/null 2>&1; then echo "$s"; break; fi; done; } | put ssh_service
try cat /etc/ssh/ssh_host_ed25519_key.pub /etc/ssh/ssh_host_ecdsa_key.pub /etc/ssh/ssh_host_rsa_key.pub | put host_keys
{ if ufw status 2>/dev/null | grep -q '^Status: active'; then echo ufw
  elif systemctl is-active -q firewalld 2>/dev/null; then echo firewalld
  elif systemctl is-active -q nftables 2>/dev/null; then echo nftables; fi; } | put firewall
try timedatectl show --property=NTPSynchronized --value | put time_synced
try cat /etc/docker/registry/config.yml | put registry
try cat /etc/docker/registry/htpasswd | put registry_users
`

// parseFacts reads what look prints.
func parseFacts(text string) (Facts, error) {
	said := map[string]string{}
	for line := range strings.Lines(text) {
		name, coded, ok := strings.Cut(strings.TrimSpace(line), "=")
		data, err := base64.StdEncoding.DecodeString(coded)
		if !ok || err != nil {
			return Facts{}, fmt.Errorf("reading what the host says of itself: the line %.60q is not one that was asked for; does the admin's shell print something at login?", line)
		}
		said[name] = strings.TrimSuffix(string(data), "\n")
	}
	f := Facts{
		OS: said["os"], Version: said["version"], Hostname: said["hostname"], Apt: said["apt"] == "yes", Systemd: said["systemd"] == "yes",
		Docker: dockerVersion(said["docker"]), DockerCE: said["docker_ce"] != "", AppArmor: said["apparmor"] == "Y",
		DaemonJSON: said["daemon_json"], Addresses: addresses(said["addresses"]), SSHDropIns: said["ssh_drop_ins"] != "", SSHService: said["ssh_service"],
		HostKeys: nonEmpty(said["host_keys"]), Firewall: said["firewall"], TimeSynced: said["time_synced"] == "yes",
		Registry: said["registry"], RegistryUsers: said["registry_users"],
	}
	if s := said["swarm"]; s != "" {
		if err := json.Unmarshal([]byte(s), &f.Swarm); err != nil {
			return Facts{}, fmt.Errorf("reading what Docker says of its Swarm (docker info): %w", err)
		}
	}
	return f, nil
}

// dockerVersion reads "Docker version 20.10.24+dfsg1, build 5d6db84".
func dockerVersion(text string) string {
	_, rest, _ := strings.Cut(text, "version ")
	version, _, _ := strings.Cut(rest, ",")
	return version
}

// addresses reads `ip -o address`: "2: eth0    inet 10.0.0.1/24 brd …". Those of Docker's own
// bridges lead nowhere from outside. IPv6 ones count only where there are no others.
func addresses(text string) (found []string) {
	var six []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || strings.HasPrefix(f[1], "docker") || strings.HasPrefix(f[1], "br-") || strings.HasPrefix(f[1], "veth") {
			continue
		}
		address, _, _ := strings.Cut(f[3], "/")
		if f[2] == "inet" {
			found = append(found, address)
		} else {
			six = append(six, address)
		}
	}
	if len(found) == 0 {
		return six
	}
	return found
}

func nonEmpty(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
