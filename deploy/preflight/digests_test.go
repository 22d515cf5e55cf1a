package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
)

// Answers of daemons, as Docker 20.10 and 28 give them.
func TestExplain(t *testing.T) {
	const image = "registry.example.com/shop/web:1"
	daemon := func(text string) error { return errors.New("Error response from daemon: " + text) }
	for _, c := range []struct {
		name, image string
		err         error
		says        string
	}{
		{"no such tag", image, daemon("manifest unknown: manifest unknown"), "there is no image registry.example.com/shop/web:1: push it first (image:push), or check its name and tag"},
		{"no such repository", image, daemon("name unknown: repository name not known to registry"), "there is no image"},
		{"no such tag, by its kind", image, fmt.Errorf("x: %w", errdefs.ErrNotFound), "there is no image"},
		{"wrong password", image, daemon("Get https://registry.example.com/v2/shop/web/manifests/1: unauthorized: incorrect username or password"), "registry.example.com refuses to show the image"},
		{"no credentials", image, daemon("no basic auth credentials"), "set REGISTRY_USER and REGISTRY_PASSWORD"},
		{"not allowed", image, daemon("pull access denied for shop/web, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"), "refuses to show the image"},
		{"nobody listens", image, daemon("Get https://registry.example.com/v2/: dial tcp 10.0.0.1:443: connect: connection refused"), "the server does not reach registry.example.com: dial tcp 10.0.0.1:443: connect: connection refused"},
		{"no such host", image, daemon("Get https://registry.example.com/v2/: dial tcp: lookup registry.example.com: no such host"), "the server does not reach registry.example.com"},
		{"too slow", image, daemon("Get https://registry.example.com/v2/: net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"), "the server does not reach"},
		{"no TLS", image, daemon("Get https://registry.example.com/v2/: http: server gave HTTP response to HTTPS client"), "the server does not reach"},
		{"an unknown authority", image, daemon("Get https://registry.example.com/v2/: tls: failed to verify certificate: x509: certificate signed by unknown authority"), "the server does not reach"},
		{"Docker Hub", "alpine:none", daemon("manifest unknown"), "there is no image alpine:none"},
		{"Docker Hub refuses", "shop/web:1", daemon("unauthorized"), "docker.io refuses to show the image shop/web:1"},
		{"a name that has a word of an error", "registry.example.com/mytls:denied", daemon("manifest unknown for registry.example.com/mytls:denied"), "there is no image"},
		{"a host that has a word of an error", "tls.example.com/web:1", daemon("Get https://tls.example.com/v2/web/manifests/1: unauthorized"), "tls.example.com refuses to show the image"},
		{"the way to the daemon is lost", image, fmt.Errorf("x: %w", io.ErrUnexpectedEOF), "asking for the digest of registry.example.com/shop/web:1: "},
		{"something else", image, daemon("disk full"), "the image registry.example.com/shop/web:1 cannot be looked up: Error response from daemon: disk full"},
	} {
		if got := explain(c.image, c.err).Error(); !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", c.name, got, c.says)
		}
	}
	if err := explain(image, fmt.Errorf("x: %w", context.DeadlineExceeded)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the cause is lost: %v", err)
	}
}
