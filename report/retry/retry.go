// Package retry asks a service's API again where that helps: when it says that it is asked too
// often, has trouble, answers slowly, or its connection breaks. All of that has a bound.
package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// Policy bounds the trying. What is not set has a default.
type Policy struct {
	Attempt time.Duration // one request with its answer; 15 s
	Total   time.Duration // all requests of one errand, with the pauses between; 90 s
	// Base is what carries requests, http.DefaultTransport where nil.
	Base http.RoundTripper
	// Now and Pause are the clock, for tests. Pause waits, or returns the context's error.
	Now   func() time.Time
	Pause func(context.Context, time.Duration) error
}

// WithDefaults fills in what is not set.
func (p Policy) WithDefaults() Policy {
	if p.Attempt <= 0 {
		p.Attempt = 15 * time.Second
	}
	if p.Total <= 0 {
		p.Total = 90 * time.Second
	}
	if p.Base == nil {
		p.Base = http.DefaultTransport
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Pause == nil {
		p.Pause = pause
	}
	return p
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

type deadlineKey struct{}

// Bound gives an errand, which may take several requests, its bound.
func (p Policy) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	p = p.WithDefaults()
	// By this clock the pauses are bounded, by the context's the answers.
	return context.WithTimeout(context.WithValue(ctx, deadlineKey{}, p.Now().Add(p.Total)), p.Total)
}

// Wait pauses, or says that it would be too long.
func (p Policy) Wait(ctx context.Context, d time.Duration) error {
	p = p.WithDefaults()
	if err := ctx.Err(); err != nil {
		return err
	}
	if end, ok := ctx.Value(deadlineKey{}).(time.Time); ok && p.Now().Add(d).After(end) {
		return errTooLong
	}
	return p.Pause(ctx, d)
}

var errTooLong = errors.New("that would take too long")

// Backoff is the pause before the n-th new try (from 0): about 1, 2, 4, … seconds, at most 16, and
// never two clients in step.
func Backoff(n int) time.Duration {
	d := time.Second << min(n, 4)
	return d/2 + rand.N(d/2) //nolint:gosec // no secret depends on it
}

// UnsureError is of a request that makes something and that was perhaps carried out: whoever
// sent it has to look before sending it again.
type UnsureError struct {
	Cause string
	After time.Duration // to wait before looking
}

func (e *UnsureError) Error() string { return e.Cause + ", so it is not known whether it was done" }

// GaveUpError is of a request that was tried as long as allowed.
type GaveUpError struct {
	Cause string // "429 Too Many Requests"
	Tries int
	After time.Duration // what the service asked to wait, where that was too long
}

func (e *GaveUpError) Error() string {
	s := e.Cause
	if e.After > 0 {
		s += fmt.Sprintf(", to be asked again in %s", e.After.Round(time.Second))
	}
	if e.Tries > 1 {
		return fmt.Sprintf("%s (tried %d times)", s, e.Tries)
	}
	return s
}

// Client is an HTTP client that keeps to the policy. It follows no redirect to another host:
// tokens in headers such as PRIVATE-TOKEN would go there too.
func (p Policy) Client() *http.Client {
	return &http.Client{
		Transport: &transport{p.WithDefaults()},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
				return fmt.Errorf("%s sends on to %s://%s, and the token is not sent there: if that is the right address, set it", first.Host, req.URL.Scheme, req.URL.Host)
			}
			if len(via) >= 5 || req.Method != via[0].Method {
				return fmt.Errorf("%s sends on without end, or in a way that loses what is sent", via[0].URL.Host)
			}
			return nil
		},
	}
}
