package e2e

import (
	"encoding/json"
	"testing"

	"github.com/moby/buildkit/client"
)

// forget makes the shared engine forget what it built for a service, so that the next
// build does it again. Compiled tools and the caches that steps mount stay.
func forget(t *testing.T, service string) {
	t.Helper()
	var server struct{ Addr string }
	must(t, json.Unmarshal([]byte(read(t, cache, "buildkit", "server.lock")), &server))
	c, err := client.New(t.Context(), server.Addr)
	must(t, err)
	defer func() { _ = c.Close() }()
	// Descriptions are the steps' commands; those of an image do not name the service.
	must(t, c.Prune(t.Context(), nil, client.PruneAll, client.WithFilter([]string{
		"type==regular,description~=" + service, "type==source.local,description~=" + service, "type==regular,description~=COPY", "type==regular,description~=binary",
	})))
}
