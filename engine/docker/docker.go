// Package docker reaches the BuildKit inside a Docker daemon, and pushes from its store.
package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config/types"
	buildkit "github.com/moby/buildkit/client"
	"github.com/moby/moby/client"
)

// Daemon is a Docker daemon.
type Daemon struct {
	api     *client.Client
	Host    string
	Version string
}

// Dial connects to the daemon at host ("unix:///var/run/docker.sock", "tcp://…"), or to
// that of $DOCKER_HOST where host is empty, and asks its version.
func Dial(ctx context.Context, host string) (*Daemon, error) {
	opts := []client.Opt{client.FromEnv}
	if host != "" {
		opts = append(opts, client.WithHost(host))
	}
	api, err := client.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("preparing to talk to Docker: %w", err)
	}
	v, err := api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		_ = api.Close()
		return nil, fmt.Errorf("Docker at %s does not answer: %w. Start it, or choose another engine (SLIPWAY_ENGINE=embedded)", api.DaemonHost(), err)
	}
	return &Daemon{api: api, Host: api.DaemonHost(), Version: v.Version}, nil
}

// firstGoodBuildKit is the first Docker release whose BuildKit is not behind in what
// slipway needs most: base layers handed over by the client.
const firstGoodBuildKit = 23

// Recent reports whether the daemon's BuildKit is good enough to be chosen unasked.
func (d *Daemon) Recent() bool {
	major, _, _ := strings.Cut(d.Version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= firstGoodBuildKit
}

// Close ends the connection.
func (d *Daemon) Close() error { return d.api.Close() }

// BuildKit connects to the daemon's BuildKit: its gRPC API is at /grpc, and sessions, in
// which BuildKit calls back, are at /session (Docker Engine API, "Session").
func (d *Daemon) BuildKit(ctx context.Context) (*buildkit.Client, error) {
	c, err := buildkit.New(ctx, "",
		buildkit.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return d.api.DialHijack(ctx, "/grpc", "h2c", nil)
		}),
		buildkit.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return d.api.DialHijack(ctx, "/session", proto, meta)
		}))
	if err != nil {
		return nil, fmt.Errorf("connecting to the BuildKit of Docker %s: %w", d.Version, err)
	}
	return c, nil
}

// Bridgeless reports whether the daemon runs without its default network ("bridge": "none"
// in its daemon.json). Build steps would have no network then but the machine's.
func (d *Daemon) Bridgeless(ctx context.Context) (bool, error) {
	_, err := d.api.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
	if errdefs.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking Docker %s for its networks: %w", d.Version, err)
	}
	return false, nil
}

// Push sends the image refs[0] from the daemon's store, and the same image under the other
// references, and returns the digest of the manifest that the push made.
func (d *Daemon) Push(ctx context.Context, refs []string, auth func(host string) (types.AuthConfig, error)) (string, error) {
	digest := ""
	for i, ref := range refs {
		if i > 0 {
			if _, err := d.api.ImageTag(ctx, client.ImageTagOptions{Source: refs[0], Target: ref}); err != nil {
				return "", fmt.Errorf("tagging %s as %s in Docker: %w", refs[0], ref, err)
			}
		}
		got, err := d.push(ctx, ref, auth)
		if err != nil {
			return "", err
		}
		if i == 0 {
			digest = got
		}
	}
	return digest, nil
}

func (d *Daemon) push(ctx context.Context, ref string, auth func(host string) (types.AuthConfig, error)) (string, error) {
	host, _, _ := strings.Cut(ref, "/")
	creds, err := auth(host)
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(creds)
	if err != nil {
		return "", err
	}
	resp, err := d.api.ImagePush(ctx, ref, client.ImagePushOptions{RegistryAuth: base64.URLEncoding.EncodeToString(header)})
	if err != nil {
		return "", fmt.Errorf("pushing %s from Docker: %w", ref, err)
	}
	defer func() { _ = resp.Close() }()
	digest := ""
	for m, err := range resp.JSONMessages(ctx) {
		if err != nil {
			return "", fmt.Errorf("pushing %s from Docker: %w", ref, err)
		}
		if m.Error != nil {
			return "", fmt.Errorf("pushing %s from Docker: %w", ref, m.Error)
		}
		if m.Aux != nil {
			var aux struct{ Digest string }
			if json.Unmarshal(*m.Aux, &aux) == nil && aux.Digest != "" {
				digest = aux.Digest
			}
		}
	}
	if digest == "" {
		return "", fmt.Errorf("pushing %s from Docker: the daemon did not name the digest", ref)
	}
	return digest, nil
}
