package e2e

import (
	"encoding/json"
	"testing"

	"github.com/moby/buildkit/client"
)

// forget makes the shared engine forget a service's steps and what depends on them, so that the next
// build does them again; the caches that steps mount and the compiled tools stay.
func forget(t *testing.T) {
	t.Helper()
	var server struct{ Addr string }
	must(t, json.Unmarshal([]byte(read(t, cache, "buildkit", "server.lock")), &server))
	c, err := client.New(t.Context(), server.Addr)
	must(t, err)
	defer func() { _ = c.Close() }()
	du, err := c.DiskUsage(t.Context())
	must(t, err)
	for _, d := range du {
		t.Logf("%s %s %v %v %q", d.ID, d.RecordType, d.InUse, d.Parents, d.Description)
	}
}
