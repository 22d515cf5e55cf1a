package fakeportainer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
)

// docker is api/http/handler/endpointproxy: the environment's Docker API.
func (s *Server) docker(w http.ResponseWriter, r *http.Request, rest string) {
	u, ok := s.user(w, r)
	if !ok {
		return
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	e, ok := s.environment(w, u, id)
	if !ok {
		return
	}
	http.StripPrefix(s.path+"/api/endpoints/"+id+"/docker", s.proxy(e, u)).ServeHTTP(w, r)
}

func (s *Server) proxy(e Environment, u User) http.Handler {
	d := &daemon{s, e, u}
	if e.Kind == Socket {
		return http.HandlerFunc(d.local)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(&httputil.ReverseProxy{Transport: d, ErrorLog: quiet, Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: "docker"})
		}}).ServeHTTP(w, r)
	})
}

// daemon is what api/http/proxy/factory/docker makes of requests and answers.
type daemon struct {
	s *Server
	e Environment
	u User
}

func (d *daemon) dial(ctx context.Context) (net.Conn, error) {
	if d.e.Down {
		return nil, errors.New("dial tcp 10.0.0.5:2375: connect: no route to host")
	}
	return new(net.Dialer).DialContext(ctx, "unix", d.e.Daemon)
}

// local is factory/docker.go's dockerLocalProxy, and http/proxy/local.go in agents: nothing is
// flushed, and nothing is written behind a changed protocol.
func (d *daemon) local(w http.ResponseWriter, r *http.Request) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", "unixsocket", ""
	got, err := d.RoundTrip(r)
	if err != nil {
		fail(w, http.StatusInternalServerError, "Unable to proxy the request via the Docker socket", err.Error())
		return
	}
	defer func() { _ = got.Body.Close() }()
	for k, vv := range got.Header {
		w.Header()[k] = vv
	}
	w.WriteHeader(got.StatusCode)
	_, _ = io.Copy(w, got.Body)
}

// RoundTrip is the transport that Portainer has between its proxy and the daemon.
func (d *daemon) RoundTrip(r *http.Request) (*http.Response, error) {
	path := version.ReplaceAllString(r.URL.Path, "")
	what := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if !d.u.Admin { // nothing here was made by such a user, and of what others made they see nothing
		return d.denied(r, path)
	}
	if d.e.Kind == Agent {
		if refusal := d.agent(r, path); refusal != nil {
			return refusal, nil
		}
	}
	creates := r.Method == http.MethodPost && len(what) == 2 && what[1] == "create"
	if what[0] == "services" && len(what) > 1 || path == "/images/create" {
		d.credentials(r)
	}
	r.Header.Del("X-API-Key")
	t := &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.dial(ctx) }}
	got, err := t.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	case creates && got.StatusCode == http.StatusCreated && what[0] != "images":
		err = d.rewrite(got, func(v any) any { return d.made(v, what[0]) })
	case r.Method == http.MethodGet && got.StatusCode == http.StatusOK && listed(what):
		err = d.rewrite(got, func(v any) any { return d.decorate(v, r, path) })
	}
	return got, err
}

// listed tells whether Portainer unpacks the answer: lists and inspections.
func listed(what []string) bool {
	switch what[0] {
	case "services", "configs", "secrets", "networks":
		return len(what) <= 2
	case "tasks", "swarm", "volumes":
		return len(what) == 1
	case "containers":
		return what[len(what)-1] == "json"
	}
	return false
}

// rewrite unpacks an answer and packs it again, numbers through float64, and calls the status 200.
func (d *daemon) rewrite(r *http.Response, change func(any) any) error {
	var v any
	err := json.NewDecoder(r.Body).Decode(&v)
	_ = r.Body.Close()
	if err != nil {
		return err
	}
	text, err := json.Marshal(change(v))
	if err != nil {
		return err
	}
	r.StatusCode, r.Body, r.ContentLength = http.StatusOK, io.NopCloser(bytes.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	r.Header.Del("Transfer-Encoding")
	r.TransferEncoding = nil
	return nil
}

// made remembers whose a thing is, and says so in it.
func (d *daemon) made(v any, kind string) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	key := map[bool]string{true: "Id", false: "ID"}[kind == "networks" || kind == "containers"]
	if id, ok := object[key].(string); ok {
		d.s.mu.Lock()
		d.s.owners[id] = d.u.Name
		d.s.mu.Unlock()
		d.mark(object, id)
	}
	return object
}

func (d *daemon) decorate(v any, r *http.Request, path string) any {
	list, ok := v.([]any)
	if !ok {
		if object, ok := v.(map[string]any); ok {
			d.mark(object, "")
		}
		return v
	}
	for _, one := range list {
		if object, ok := one.(map[string]any); ok {
			d.mark(object, "")
		}
	}
	// Each agent tells of the networks that its node has.
	if d.e.Kind == Agent && path == "/networks" && r.Header.Get("X-PortainerAgent-ManagerOperation") == "" {
		list = append(list, list...)
	}
	return list
}

func (d *daemon) mark(object map[string]any, id string) {
	for _, k := range []string{"ID", "Id"} {
		if v, ok := object[k].(string); ok && id == "" {
			id = v
		}
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if owner := d.s.owners[id]; owner != "" {
		object["Portainer"] = map[string]any{"ResourceControl": map[string]any{"Id": 1, "ResourceId": id, "UserAccesses": []any{map[string]any{"UserId": owner, "AccessLevel": 1}}}}
	}
}

// credentials replaces a registry's number by what Portainer knows of it (registry.go,
// decorateRegistryAuthenticationHeader). What is no number is Docker's own, and goes on as it is.
func (d *daemon) credentials(r *http.Request) {
	data, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Registry-Auth"))
	if err != nil || len(data) == 0 {
		return
	}
	var its struct {
		RegistryID *int `json:"registryId"`
	}
	if json.Unmarshal(data, &its) != nil {
		return
	}
	if string(data) == "{}" {
		r.Header.Del("X-Registry-Auth")
		return
	}
	if its.RegistryID == nil {
		return
	}
	d.s.mu.Lock()
	known := d.s.registries[*its.RegistryID]
	d.s.mu.Unlock()
	text, err := json.Marshal(map[string]string{"username": known.user, "password": known.password, "serveraddress": known.host})
	if err == nil {
		r.Header.Set("X-Registry-Auth", base64.URLEncoding.EncodeToString(text))
	}
}

// agent is the dispatching of an agent in a Swarm (agent: http/handler/docker/docker_operation.go).
// Portainer takes any of them, and here it takes one on a node that is no manager.
func (d *daemon) agent(r *http.Request, path string) *http.Response {
	r.URL.Path, r.URL.RawPath = path, ""
	manager, target := r.Header.Get("X-PortainerAgent-ManagerOperation") != "", r.Header.Get("X-PortainerAgent-Target")
	first := strings.Split(strings.TrimPrefix(path, "/"), "/")[0]
	switch first {
	case "services", "tasks", "secrets", "configs", "swarm", "info", "nodes", "networks":
		return nil
	}
	switch {
	case manager, target == d.e.Node:
		return nil
	case target == "":
		return d.refusal(`{"message":"this is the node of another agent, which is no manager"}`, http.StatusServiceUnavailable, r)
	}
	return d.refusal(`{"message":"The agent was unable to contact any other agent","details":"Unable to find the targeted agent"}`, http.StatusInternalServerError, r)
}

func (d *daemon) refusal(text string, status int, r *http.Request) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(text)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)),
	}
}

// denied is what one sees who is no administrator: empty lists, and refusals. Portainer takes the
// last word of "/configs/ID/update" for the config's name, and asks the daemon for one of that.
func (d *daemon) denied(r *http.Request, path string) (*http.Response, error) {
	switch what := strings.Split(strings.TrimPrefix(path, "/"), "/"); {
	case (what[0] == "configs" || what[0] == "secrets") && len(what) == 3:
		return nil, errors.New("Error response from daemon: config " + what[2] + " not found")
	case len(what) == 1 && r.Method == http.MethodGet:
		return d.refusal(`[]`, http.StatusOK, r), nil
	}
	return d.refusal(`{"message":"access denied to resource"}`, http.StatusForbidden, r), nil
}
