package lock

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

const answerDelay = 200 * time.Millisecond

// slowAnswers is a way to a daemon on which the answers to writes of configs take their time.
func slowAnswers(t *testing.T, docker *client.Client) *client.Client {
	t.Helper()
	daemon := strings.TrimPrefix(docker.DaemonHost(), "unix://")
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "docker"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", daemon)
		}},
		ModifyResponse: func(r *http.Response) error {
			if strings.HasSuffix(r.Request.URL.Path, "/update") {
				time.Sleep(answerDelay)
			}
			return nil
		},
	}
	server := &http.Server{Handler: proxy}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	slow, err := client.New(client.WithHost("unix://" + socket))
	if err != nil {
		t.Fatal(err)
	}
	return slow
}

// A beat counts from when it was sent: who waits has seen it since then.
func TestABeatCountsFromWhenItWasSent(t *testing.T) {
	docker := bed(t)
	slow := slowAnswers(t, docker)
	held, err := Acquire(t.Context(), slow, stack, Owner{"anna", "deploy"}, Options{Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Release(context.WithoutCancel(t.Context())) }()
	first := held.beaten()
	for held.beaten().Equal(first) {
		time.Sleep(time.Millisecond)
	}
	if late := time.Since(held.beaten()); late < answerDelay {
		t.Errorf("a beat whose answer took %s counts as %s old", answerDelay, late)
	}
}

func (l *Lock) beaten() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
