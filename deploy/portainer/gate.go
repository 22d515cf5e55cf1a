package portainer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"slipway/secret"
)

// Gate looks like a Docker daemon to whoever dials it, and hands everything on to Portainer's
// address for one of its environments. The token is put on here, on every kind of request, and
// Portainer's own answers become Docker's, in sentences.
type Gate struct {
	// Name is what to call the daemon in messages.
	Name string

	api   *api
	env   environment
	base  *url.URL // of the daemon's API
	node  string   // an agent's node that questions about containers go to
	pipes *pipes
	web   *http.Server
}

// Open finds the environment, makes sure of the token, and opens a gate to the daemon. Errors are
// sentences.
func Open(ctx context.Context, s Settings) (*Gate, error) {
	s.Timeout = cmp.Or(s.Timeout, 20*time.Second)
	if s.Token.Empty() {
		return nil, errors.New("PORTAINER_TOKEN is not set: make an access token in Portainer, as an administrator, under My account, Access tokens")
	}
	t, err := transport(s.CA)
	if err != nil {
		return nil, err
	}
	a := &api{s, &http.Client{Transport: t, CheckRedirect: stay}}
	env, err := a.find(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.administrator(ctx); err != nil {
		return nil, err
	}
	g := &Gate{
		Name: "environment " + harmless(env.Name) + " of Portainer at " + s.URL.String(),
		api:  a, env: *env, pipes: newPipes(),
		base: &url.URL{Scheme: s.URL.Scheme, Host: s.URL.Host, Path: s.URL.Path + "/api/endpoints/" + strconv.Itoa(env.ID) + "/docker"},
	}
	quiet := log.New(io.Discard, "", 0) // what goes wrong is in the answers
	proxy := &httputil.ReverseProxy{
		Rewrite: g.rewrite, Transport: t, FlushInterval: -1, ModifyResponse: g.translate, ErrorLog: quiet,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { g.fail(w, s.unreached(err)) },
	}
	g.web = &http.Server{Handler: g.only(proxy), ErrorLog: quiet, ReadHeaderTimeout: time.Minute}
	go func() { _ = g.web.Serve(g.pipes) }()
	return g, nil
}

// Dial connects to the gate.
func (g *Gate) Dial(ctx context.Context) (net.Conn, error) { return g.pipes.dial(ctx) }

// Close ends all connections.
func (g *Gate) Close() {
	_ = g.web.Close()
	g.api.web.CloseIdleConnections()
}

// Ping gives the reason why the daemon does not answer through Portainer, nil if it does.
func (g *Gate) Ping(ctx context.Context) error {
	var version struct{ ApiVersion string } //nolint:revive // as Docker spells it
	return g.api.get(ctx, path.Join("endpoints", strconv.Itoa(g.env.ID), "docker", "version"), nil, &version)
}

// Node is the name of the manager that an agent is to ask about containers, "" without one: agents
// answer for the node they run on, and Portainer takes any of them.
func (g *Gate) Node(hostname string) {
	if g.env.agent() {
		g.node = hostname
	}
}

func (g *Gate) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(g.base)
	r.Out.Header.Set(tokenHeader, g.api.Token.Reveal())
	if !g.env.agent() {
		return
	}
	// Agents gather the lists of networks from all nodes, one network as often as it is on a node,
	// and answer what is not about the Swarm themselves (agent: http/handler/docker).
	if p := r.In.URL.Path; strings.HasSuffix(p, "/networks") || g.node == "" {
		r.Out.Header.Set("X-PortainerAgent-ManagerOperation", "1")
	} else {
		r.Out.Header.Set("X-PortainerAgent-Target", g.node)
	}
}

// only stops what Portainer would do something else with.
func (g *Gate) only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(sentence string) {
			g.fail(w, &Error{Status: http.StatusNotImplemented, sentence: sentence})
		}
		switch p := r.URL.Path; {
		case strings.Contains(p, "/edge/"), strings.Contains(p, "/kubernetes/helm"):
			refuse("Portainer takes an address with /edge/ or /kubernetes/helm in it for one of its own (" + harmless(p) + "), so that images of such names cannot be looked up through it: name the image otherwise, or use a server over SSH")
		case r.Method == http.MethodPost && strings.HasSuffix(p, "/exec"):
			if why := g.noInput(r.Context()); why != "" {
				refuse(why)
				return
			}
			next.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// errorLimit bounds what is read of an answer that may be an error of Portainer's own.
const errorLimit = 64 << 10

// translate makes Portainer's own answers the daemon's.
func (g *Gate) translate(r *http.Response) error {
	html := func() bool {
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		return kind == "text/html"
	}
	switch {
	case r.StatusCode >= 400, r.StatusCode >= 300 && r.StatusCode != http.StatusNotModified:
	case html():
	default:
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, errorLimit))
	if err != nil {
		return err
	}
	if _, _, dockers := read(r.Header, body); dockers && r.StatusCode >= 400 {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
		return nil
	}
	if r.Request.Method == http.MethodHead && r.StatusCode >= 400 { // it has no words
		return nil
	}
	_ = r.Body.Close()
	e := g.api.refused(r.StatusCode, r.Header, body)
	if e.Status < 400 {
		e.Status = http.StatusBadRequest
	}
	text := sentence(e)
	r.StatusCode, r.Status = e.Status, ""
	r.Header = http.Header{"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(text))}}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return nil
}

func (g *Gate) fail(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(sentence(e))
}

func sentence(e *Error) []byte {
	text, err := json.Marshal(answer{Message: e.sentence})
	if err != nil {
		return []byte(`{"message":"Portainer has failed"}`)
	}
	return text
}

// Webhook finds the webhook of a service by its ID, nil where it has none.
func (g *Gate) Webhook(ctx context.Context, service string) (*Webhook, error) {
	filters, err := json.Marshal(map[string]any{"ResourceID": service, "EndpointID": g.env.ID})
	if err != nil {
		return nil, err
	}
	var all []struct{ Token, ResourceID string }
	if err := g.api.get(ctx, "webhooks", url.Values{"filters": {string(filters)}}, &all); err != nil {
		return nil, err
	}
	for _, w := range all {
		if w.ResourceID == service {
			return NewWebhook(secret.New(g.api.URL.JoinPath("api", "webhooks", w.Token).String()), g.api.CA)
		}
	}
	return nil, nil
}

var goVersion = regexp.MustCompile(`^(?:go)?1\.(\d+)`)

// noInput says why a command in a container would not get its input, "" where it does. It would
// be started all the same, and wait for ever (Portainer 2.23.0 with a socket), or be cut off.
func (g *Gate) noInput(ctx context.Context) string {
	if !g.env.direct() {
		return "Portainer hands no input on to commands in containers where it reaches Docker by a socket or an agent, as in the " + g.Name + ": use a server over SSH"
	}
	var version struct{ Build struct{ GoVersion string } }
	if err := g.api.get(ctx, "system/version", nil, &version); err != nil {
		return err.Error()
	}
	// Go's reverse proxy closes a connection when one side has no more to say, before 1.24
	// (go.dev/issue/35892).
	if m := goVersion.FindStringSubmatch(version.Build.GoVersion); m != nil {
		if minor, err := strconv.Atoi(m[1]); err == nil && minor >= 24 {
			return ""
		}
	}
	return "this Portainer (made with " + harmless(cmp.Or(version.Build.GoVersion, "an unknown Go")) + ") hands the input of commands in containers on in part only: update it to one that is made with Go 1.24 or later, or use a server over SSH"
}
