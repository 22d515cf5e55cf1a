package retry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// clock is moved by pauses alone.
type clock struct {
	now    time.Time
	pauses []time.Duration
}

func (c *clock) policy() Policy {
	return Policy{
		Attempt: 5 * time.Second,
		Now:     func() time.Time { return c.now },
		Pause: func(ctx context.Context, d time.Duration) error {
			c.now = c.now.Add(d)
			c.pauses = append(c.pauses, d)
			return ctx.Err()
		},
	}
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)} }

// ask sends one request to a server that answers so, and returns how often it was asked.
func ask(t *testing.T, c *clock, method string, answer http.HandlerFunc) (body string, asked int, err error) {
	t.Helper()
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		answer(w, r)
	}))
	defer s.Close()
	p := c.policy()
	ctx, cancel := p.Bound(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL, strings.NewReader("sent"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.Client().Do(req)
	if err != nil {
		return "", int(n.Load()), err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	return resp.Status + " " + string(said), int(n.Load()), err
}

func TestPauses(t *testing.T) {
	for name, c := range map[string]struct {
		header map[string]string
		min    time.Duration
		max    time.Duration
	}{
		"none":                    {nil, time.Second / 2, time.Second},
		"seconds":                 {map[string]string{"Retry-After": " 30 "}, 30 * time.Second, 30 * time.Second},
		"a date":                  {map[string]string{"Retry-After": "Wed, 25 Nov 2026 12:01:00 GMT"}, time.Minute, time.Minute},
		"a date that is over":     {map[string]string{"Retry-After": "Wed, 25 Nov 2026 11:00:00 GMT"}, time.Second / 2, time.Second},
		"no number":               {map[string]string{"Retry-After": "soon"}, time.Second / 2, time.Second},
		"below zero":              {map[string]string{"Retry-After": "-5"}, time.Second / 2, time.Second},
		"a limit that is not out": {map[string]string{"RateLimit-Remaining": "7", "RateLimit-Reset": "1795608030"}, time.Second / 2, time.Second},
		"a limit":                 {map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": "1795608030"}, 31 * time.Second, 31 * time.Second},
	} {
		clock, first := newClock(), true
		got, asked, err := ask(t, clock, "POST", func(w http.ResponseWriter, r *http.Request) {
			for k, v := range c.header {
				w.Header().Set(k, v)
			}
			if first {
				first = false
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = io.Copy(w, r.Body)
		})
		if err != nil || asked != 2 || got != "200 OK sent" {
			t.Errorf("%s: %q after %d requests, %v", name, got, asked, err)
		}
		if len(clock.pauses) != 1 || clock.pauses[0] < c.min || clock.pauses[0] > c.max {
			t.Errorf("%s: paused %v, want %s to %s", name, clock.pauses, c.min, c.max)
		}
	}
}

func TestBound(t *testing.T) {
	c := newClock()
	start := c.now
	_, asked, err := ask(t, c, "GET", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "40")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	var gaveUp *GaveUpError
	if !errors.As(err, &gaveUp) || asked != 3 || c.now.Sub(start) > 90*time.Second || !strings.Contains(gaveUp.Error(), "503 Service Unavailable, to be asked again in 40s (tried 3 times)") {
		t.Errorf("after %d requests and %s: %v", asked, c.now.Sub(start), err)
	}
}

// TestWritingIsNotRepeated: whether a POST was carried out is not known after these.
func TestWritingIsNotRepeated(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"500":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"503":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"closed": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "1")
			panic(http.ErrAbortHandler)
		},
	} {
		_, asked, err := ask(t, newClock(), "POST", answer)
		var unsure *UnsureError
		if !errors.As(err, &unsure) || asked != 1 {
			t.Errorf("%s: %v after %d requests, want one, and no certainty", name, err, asked)
		}
	}
	// Where there was no connection there was nothing to carry out.
	c := newClock()
	p := c.policy()
	tries := 0
	p.Base = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		tries++
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}}
	resp, err := p.Client().Post("http://service.invalid/", "text/plain", strings.NewReader("x"))
	if err == nil {
		_ = resp.Body.Close()
	}
	var gaveUp *GaveUpError
	if !errors.As(err, &gaveUp) || tries != maxTries {
		t.Errorf("without a connection: %v after %d tries", err, tries)
	}
}

func TestOthersAreAnswers(t *testing.T) {
	for _, status := range []int{200, 201, 400, 401, 403, 404, 422, 501} {
		got, asked, err := ask(t, newClock(), "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "said")
		})
		if err != nil || asked != 1 || !strings.HasSuffix(got, " said") {
			t.Errorf("%d: %q after %d requests, %v", status, got, asked, err)
		}
	}
}

// TestRedirects: a token in a header such as PRIVATE-TOKEN goes to no other host.
func TestRedirects(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	_, _, err := ask(t, newClock(), "GET", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	if err == nil || asked || !strings.Contains(err.Error(), "the token is not sent there") {
		t.Errorf("sent on to another host: %v, which was asked: %v", err, asked)
	}
	got, _, err := ask(t, newClock(), "GET", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/new" {
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		}
	})
	if err != nil || !strings.HasPrefix(got, "200") {
		t.Errorf("moved on one host: %q, %v", got, err)
	}
	_, n, err := ask(t, newClock(), "POST", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/new", http.StatusMovedPermanently) })
	if err == nil || n != 1 {
		t.Errorf("a POST that would become a GET: %v after %d requests", err, n)
	}
}

func TestStopped(t *testing.T) {
	p := newClock().policy()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://127.0.0.1:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.Client().Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
