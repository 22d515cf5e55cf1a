package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/moby/buildkit/util/resolver"
	"github.com/moby/buildkit/util/resolver/config"
	"github.com/sirupsen/logrus"
)

// mirrorFile is the file of -mirrors. Mirrors stand in for docker.io, in their order, with
// docker.io itself as the last; Insecure names registries that may speak plain HTTP or show
// a certificate nobody signed. Loopback hosts speak plain HTTP without being named.
type mirrorFile struct {
	Mirrors  []string `json:"mirrors"`
	Insecure []string `json:"insecure"`
}

// mirrors answers BuildKit's question of where a registry is, from a file that a later
// command may rewrite.
type mirrors struct {
	path string

	mu    sync.Mutex
	seen  stamp
	hosts docker.RegistryHosts
}

// stamp tells one version of the file from the next; it is replaced by rename.
type stamp struct {
	modified time.Time
	size     int64
	inode    uint64
}

func stampOf(info os.FileInfo) stamp {
	s := stamp{modified: info.ModTime(), size: info.Size()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = st.Ino
	}
	return s
}

func newMirrors(path string) (*mirrors, error) {
	m := &mirrors{path: path, hosts: resolver.NewRegistryConfig(nil)}
	return m, m.refresh()
}

// refresh reads the file if it has changed. BuildKit remembers a registry's hosts for as
// long as it remembers its login, so a change makes it forget both.
func (m *mirrors) refresh() error {
	if m.path == "" {
		return nil
	}
	info, err := os.Stat(m.path)
	var now stamp
	switch {
	case err == nil:
		now = stampOf(info)
	case !os.IsNotExist(err):
		return fmt.Errorf("reading the registry mirrors: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now == m.seen {
		return nil
	}
	var f mirrorFile
	if now != (stamp{}) {
		data, err := os.ReadFile(m.path)
		if err != nil {
			return fmt.Errorf("reading the registry mirrors: %w", err)
		}
		if err := json.Unmarshal(data, &f); err != nil {
			return fmt.Errorf("reading the registry mirrors from %s: %w", m.path, err)
		}
	}
	m.seen, m.hosts = now, resolver.NewRegistryConfig(f.registries())
	resolver.DefaultPool.Clear()
	logrus.Infof("registry mirrors: %v, insecure: %v", f.Mirrors, f.Insecure)
	return nil
}

// lookup is a docker.RegistryHosts.
func (m *mirrors) lookup(host string) ([]docker.RegistryHost, error) {
	m.mu.Lock()
	hosts := m.hosts
	m.mu.Unlock()
	return hosts(host)
}

// registries is the file in the words of buildkitd.toml.
func (f mirrorFile) registries() map[string]config.RegistryConfig {
	yes, no := true, false
	out := map[string]config.RegistryConfig{}
	for _, host := range f.Insecure {
		out[bare(host)] = config.RegistryConfig{PlainHTTP: &yes, Insecure: &yes}
	}
	var hub config.RegistryConfig
	for _, mirror := range f.Mirrors {
		address := bare(mirror)
		host, _, _ := strings.Cut(address, "/")
		switch {
		case strings.HasPrefix(mirror, "http://"):
			out[host] = config.RegistryConfig{PlainHTTP: &yes}
		case strings.HasPrefix(mirror, "https://") && !slices.Contains(f.Insecure, host):
			out[host] = config.RegistryConfig{PlainHTTP: &no}
		}
		hub.Mirrors = append(hub.Mirrors, address)
	}
	if len(hub.Mirrors) > 0 {
		out["docker.io"] = hub
	}
	return out
}

func bare(address string) string {
	_, rest, found := strings.Cut(address, "://")
	if !found {
		rest = address
	}
	return strings.TrimRight(rest, "/")
}
