package registry

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// connection is what all requests of a Client that read or write entries share: one pool of
// connections, and one login for each repository.
type connection struct {
	once   sync.Once
	puller *remote.Puller
	pusher *remote.Pusher
}

func (c *Client) connect() *connection {
	c.shared.once.Do(func() {
		options := []remote.Option{
			remote.WithAuthFromKeychain(c.keys), remote.WithTransport(bounded{remote.DefaultTransport}),
			// Who does without is not to wait long.
			remote.WithRetryBackoff(remote.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: 2}),
		}
		// Options of this kind do not fail.
		c.shared.puller, _ = remote.NewPuller(options...)
		c.shared.pusher, _ = remote.NewPusher(options...)
	})
	return &c.shared
}

func (c *Client) puller() *remote.Puller { return c.connect().puller }
func (c *Client) pusher() *remote.Pusher { return c.connect().pusher }

// errTooLarge is why a manifest was not read to its end.
type errTooLarge struct{ limit int64 }

func (e errTooLarge) Error() string {
	return fmt.Sprintf("the manifest is larger than %d KiB", e.limit>>10)
}

// bounded refuses manifests that are larger than what any image or entry has, without reading
// them.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(q *http.Request) (*http.Response, error) {
	r, err := b.RoundTripper.RoundTrip(q)
	if err != nil || q.Method != http.MethodGet || !strings.Contains(q.URL.Path, "/manifests/") {
		return r, err
	}
	if r.ContentLength > maxEntry {
		_ = r.Body.Close()
		return nil, errTooLarge{maxEntry}
	}
	r.Body = &shortBody{r.Body, maxEntry}
	return r, nil
}

// shortBody fails where more comes than was let in.
type shortBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (s *shortBody) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if s.left -= int64(n); s.left < 0 {
		return 0, errTooLarge{maxEntry}
	}
	return n, err
}
