package portainer

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"slipway/secret"
)

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ server, other, url, endpoint string }{
		{"portainer://portainer.example.com", "", "https://portainer.example.com", ""},
		{"portainer://portainer.example.com:9443?endpoint=prod", "", "https://portainer.example.com:9443", "prod"},
		{"portainer://tools.example.com/portainer/?endpoint=3", "", "https://tools.example.com/portainer", "3"},
		{"portainer://tools.example.com/portainer/api?endpoint=my%20swarm", "", "https://tools.example.com/portainer", "my swarm"},
		{"portainer", "https://portainer.example.com/", "https://portainer.example.com", ""},
		{"portainer", "https://portainer.example.com?endpoint=prod", "https://portainer.example.com", "prod"},
		{"portainer", "http://127.0.0.1:9000", "http://127.0.0.1:9000", ""},
		{"portainer", "http://[::1]:9000", "http://[::1]:9000", ""},
	} {
		s, err := Parse(c.server, c.other)
		if err != nil {
			t.Errorf("%s %s: %v", c.server, c.other, err)
			continue
		}
		if s.URL.String() != c.url || s.Endpoint != c.endpoint {
			t.Errorf("%s %s leads to %s, environment %q; want %s, %q", c.server, c.other, s.URL, s.Endpoint, c.url, c.endpoint)
		}
	}
	for server, says := range map[string]string{
		"portainer":                               "set PORTAINER_URL",
		"portainer://":                            "is no address of a Portainer",
		"portainer://:9443":                       "is no address of a Portainer",
		"portainer://a:b@portainer.example.com":   "has a user or a password",
		"portainer://portainer.example.com?env=1": "more behind the address than ?endpoint=NAME",
		"portainer://portainer.example.com/#!/1":  "more behind the address",
		"portainer://host:port":                   "is no address",
	} {
		if _, err := Parse(server, ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", server, err, says)
		}
	}
	for _, other := range []string{"portainer.example.com", "ftp://portainer.example.com", "http://portainer.example.com:9000"} {
		if _, err := Parse("portainer", other); err == nil || !strings.Contains(err.Error(), "PORTAINER_URL") {
			t.Errorf("%s: %v", other, err)
		}
	}
}

func TestRetag(t *testing.T) {
	for image, want := range map[string]string{
		"registry.example.com/ping:old@sha256:0123": "registry.example.com/ping:new",
		"registry.example.com:5000/ping:old":        "registry.example.com:5000/ping:new",
		"registry.example.com/ping":                 "registry.example.com/ping:new",
		"ping@sha256:0123":                          "ping:new",
		"registry.example.com:5000/ping":            "",
		"registry.example.com:5000/a/ping@sha256:0": "",
	} {
		if got, err := Retag(image, "new"); got != want || (err == nil) != (want != "") {
			t.Errorf("%s becomes %q (%v), want %q", image, got, err, want)
		}
	}
}

// TestAnswers tells Portainer's own answers from Docker's.
func TestAnswers(t *testing.T) {
	s := &Settings{URL: &url.URL{Scheme: "https", Host: "portainer.example.com"}}
	for _, c := range []struct {
		status  int
		kind    string
		body    string
		as      int
		says    string
		dockers bool
	}{
		{status: 404, body: `{"message":"service web not found"}`, dockers: true},
		{status: 500, body: `{"message":"rpc error: update out of sequence"}`, dockers: true},
		{status: 401, body: `{"message":"Invalid JWT token","details":"Unauthorized"}`, as: 401, says: "does not accept the access token"},
		{status: 403, body: `{"message":"Permission denied to access environment","details":"Access denied to environment"}`, as: 403, says: "has to be an administrator"},
		{status: 404, body: `{"message":"Unable to find an environment","details":"Object not found"}`, as: 404, says: "no longer has this environment"},
		{status: 500, body: `{"message":"Unable to proxy the request via the Docker socket","details":"Dial unix: no such file"}`, as: 503, says: "does not reach Docker: Unable to proxy the request via the Docker socket: Dial unix: no such file."},
		{status: 500, body: `{"message":"Unable to get the active tunnel","details":"timeout\u001b[31m"}`, as: 503, says: "Unable to get the active tunnel: timeout [31m."},
		{status: 502, kind: "none", as: 503, says: "(502)"},
		{status: 502, kind: "text/html", body: "<html>nginx", as: 503, says: "what stands before it says 502"},
		{status: 404, kind: "text/plain", body: "404 page not found", as: 404, says: "is no Portainer"},
	} {
		if c.kind == "" {
			c.kind = "application/json"
		}
		header := http.Header{"Content-Type": {c.kind}}
		if _, _, dockers := read(header, []byte(c.body)); dockers != c.dockers {
			t.Errorf("%d %s: taken for Docker's: %v", c.status, c.body, dockers)
		}
		if c.dockers {
			continue
		}
		if e := s.refused(c.status, header, []byte(c.body)); e.Status != c.as || !strings.Contains(e.Error(), c.says) {
			t.Errorf("%d %s: %d %q, want %d with %q", c.status, c.body, e.Status, e, c.as, c.says)
		}
	}
}

// TestAWebhooksErrorsDoNotShowIt reads addresses that are none.
func TestAWebhooksErrorsDoNotShowIt(t *testing.T) {
	for _, address := range []string{"c4nary", "https://portainer.example.com/c4nary", "https://portainer.example.com/api/webhooks/", "https://[c4nary/api/webhooks/1", "https://portainer.example.com/api/webhooks/c4nary?tag=1", "https://portainer.example.com/api/webhooks/c4nary%zz"} {
		_, err := NewWebhook(secret.New(address), "")
		if err == nil || strings.Contains(err.Error(), "c4nary") {
			t.Errorf("%s: %v", address, err)
		}
	}
	hook, err := NewWebhook(secret.New("https://127.0.0.1:1/api/webhooks/c4nary"), "")
	if err != nil {
		t.Fatal(err)
	}
	err = hook.Call(t.Context(), "tag")
	if lost := (LostError{}); err == nil || errors.As(err, &lost) || strings.Contains(err.Error(), "c4nary") {
		t.Errorf("%v", err)
	}
}

// TestThePipesDirectionsEndOneByOne: a command's input ends before its output does.
func TestThePipesDirectionsEndOneByOne(t *testing.T) {
	p := newPipes()
	go func() {
		c, err := p.Accept()
		if err != nil {
			return
		}
		said, _ := io.ReadAll(c)
		_, _ = c.Write(append([]byte("heard "), said...))
		_ = c.Close()
	}()
	c, err := p.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("this")); err != nil {
		t.Fatal(err)
	}
	if err := c.(*duplex).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "heard this" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_ = p.Close()
	if _, err := p.dial(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("a closed one is dialled: %v", err)
	}
}
