package retry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxTries  = 6
	maxAnswer = 32 << 20 // bytes: a hundred comments of a million characters do not come near in practice
)

// transport tries requests again. It reads each answer whole: one that is cut off in the middle
// is a failure of the connection as any other.
type transport struct{ p Policy }

var _ http.RoundTripper = (*transport)(nil)

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("reading what is to be sent: %w", err)
		}
	}
	for n := 0; ; n++ {
		resp, err := t.once(req, body)
		again, after, cause := t.judge(req, resp, err)
		switch {
		case req.Context().Err() != nil && err != nil:
			return nil, t.ended(req, cause, n+1)
		case !again && err != nil:
			return nil, &GaveUpError{Cause: cause, Tries: n + 1}
		case !again:
			return resp, nil
		case !repeatable(req) && !refused(resp, err):
			return nil, &UnsureError{Cause: cause, After: max(after, time.Second)}
		case n+1 >= maxTries:
			return nil, &GaveUpError{Cause: cause, Tries: n + 1}
		}
		wait := after
		if wait == 0 {
			wait = Backoff(n)
		}
		if err := t.p.Wait(req.Context(), wait); err != nil {
			return nil, &GaveUpError{Cause: cause, Tries: n + 1, After: after}
		}
	}
}

// ended is the error once the errand's own time is over, or somebody ended it.
func (t *transport) ended(req *http.Request, cause string, tries int) error {
	if errors.Is(req.Context().Err(), context.DeadlineExceeded) {
		return &GaveUpError{Cause: cause, Tries: tries}
	}
	return req.Context().Err()
}

// once sends the request and reads the whole answer.
func (t *transport) once(req *http.Request, body []byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.p.Attempt)
	defer cancel()
	r := req.Clone(ctx)
	if req.Body != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.GetBody = nil // or net/http would send a POST again by itself
	}
	resp, err := t.p.Base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer was cut off: %w", err)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("the answer has more than %d MiB", maxAnswer>>20)
	}
	resp.Request = req
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, nil
}

// judge says whether to try again, after what pause where the service names one, and why.
func (t *transport) judge(req *http.Request, resp *http.Response, err error) (again bool, after time.Duration, cause string) {
	if err != nil {
		var untrusted *tls.CertificateVerificationError
		return !errors.As(err, &untrusted), 0, trouble(req, err)
	}
	cause = fmt.Sprintf("%s answered %s", req.URL.Host, resp.Status)
	after, asked := t.after(resp)
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests, s == http.StatusForbidden && asked:
		return true, after, cause
	case s == http.StatusForbidden && secondary(resp):
		return true, time.Minute, cause
	case s == http.StatusConflict, s == http.StatusRequestTimeout, s == http.StatusTooEarly:
		return true, after, cause
	case s >= 500 && s != http.StatusNotImplemented:
		return true, after, cause
	}
	return false, 0, ""
}

// trouble tells what went wrong with a connection, without the address's path.
func trouble(req *http.Request, err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return req.URL.Host + " did not answer in time"
	}
	return fmt.Sprintf("the connection to %s failed: %v", req.URL.Host, err)
}

// after is the pause that an answer asks for: Retry-After in seconds or as a date, or the time
// at which an exhausted limit is reset (GitHub: X-RateLimit-Reset; GitLab: RateLimit-Reset).
func (t *transport) after(resp *http.Response) (d time.Duration, asked bool) {
	if v := strings.TrimSpace(resp.Header.Get("Retry-After")); v != "" {
		if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
			return time.Duration(seconds) * time.Second, true
		}
		if at, err := http.ParseTime(v); err == nil {
			return max(at.Sub(t.p.Now()), 0), true
		}
	}
	for _, h := range []string{"X-RateLimit-", "RateLimit-"} {
		if resp.Header.Get(h+"Remaining") != "0" {
			continue
		}
		if at, err := strconv.ParseInt(resp.Header.Get(h+"Reset"), 10, 64); err == nil {
			// Its clock's second, which may have begun: one more is on the safe side.
			return max(time.Unix(at, 0).Sub(t.p.Now()), 0) + time.Second, true
		}
		return 0, true
	}
	return 0, false
}

// secondary is GitHub's answer to too much at once, where it names no time: then it is to be a
// minute at least ("Rate limits for the REST API").
func secondary(resp *http.Response) bool {
	said, _ := io.ReadAll(resp.Body) // from memory
	resp.Body = io.NopCloser(bytes.NewReader(said))
	return bytes.Contains(said, []byte("secondary rate limit"))
}

// repeatable is a request that may be sent twice.
func repeatable(req *http.Request) bool { return req.Method != http.MethodPost }

// refused is an answer after which nothing was done, or a connection that never was.
func refused(resp *http.Response, err error) bool {
	if resp == nil {
		var dial *net.OpError
		return errors.As(err, &dial) && dial.Op == "dial"
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusForbidden, http.StatusConflict:
		return true
	}
	return false
}
