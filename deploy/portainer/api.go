package portainer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const tokenHeader = "X-API-Key" //nolint:gosec // its name, not a token

// bodyLimit bounds an answer of Portainer's own, in bytes.
const bodyLimit = 8 << 20

// api asks Portainer itself.
type api struct {
	Settings
	web *http.Client
}

// get reads JSON. query may be nil.
func (a *api) get(ctx context.Context, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	u := a.URL.JoinPath("api", path)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("asking Portainer: %w", err)
	}
	r.Header.Set(tokenHeader, a.Token.Reveal())
	r.Header.Set("Accept", "application/json")
	got, err := a.web.Do(r)
	if err != nil {
		return a.unreached(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(got.Body, bodyLimit))
	if err != nil {
		return a.unreached(err)
	}
	if got.StatusCode != http.StatusOK {
		return a.refused(got.StatusCode, got.Header, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return a.refused(http.StatusOK, got.Header, nil)
	}
	return nil
}

// environment is what Portainer calls environment, and its API endpoint.
type environment struct {
	ID   int    `json:"Id"`
	Name string `json:"Name"`
	Type int    `json:"Type"`
	URL  string `json:"URL"`
}

// Types of environments (api/portainer.go, EndpointType).
const (
	typeDocker    = 1
	typeAgent     = 2
	typeEdgeAgent = 4
)

func (e environment) agent() bool { return e.Type == typeAgent || e.Type == typeEdgeAgent }

// direct tells whether Portainer itself talks to the daemon, by TCP. Through a socket, and through
// an agent, it copies answers into a buffer: streams come late, and connections that change
// their protocol not at all (api/http/proxy/factory/docker.go, and http/proxy/local.go in agents).
func (e environment) direct() bool {
	return e.Type == typeDocker && !strings.HasPrefix(e.URL, "unix://") && !strings.HasPrefix(e.URL, "npipe://")
}

func (e environment) docker() bool { return e.Type == typeDocker || e.agent() }

// find looks for the environment that the settings name.
func (a *api) find(ctx context.Context) (*environment, error) {
	var all []environment
	if err := a.get(ctx, "endpoints", url.Values{"excludeSnapshots": {"true"}}, &all); err != nil {
		return nil, err
	}
	var names, dockers []string
	var found *environment
	number, err := strconv.Atoi(a.Endpoint)
	byNumber := err == nil
	for _, e := range all {
		names = append(names, fmt.Sprintf("%s (%d)", harmless(e.Name), e.ID))
		if e.docker() {
			dockers = append(dockers, fmt.Sprintf("%s (%d)", harmless(e.Name), e.ID))
		}
		switch {
		case a.Endpoint == "" && e.docker(), byNumber && e.ID == number, found == nil && a.Endpoint != "" && e.Name == a.Endpoint:
			found = &e
		}
	}
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("Portainer at %s shows no environment to the user of PORTAINER_TOKEN: add the Swarm there under Environments", a.URL)
	case a.Endpoint == "" && len(dockers) != 1:
		return nil, fmt.Errorf("Portainer at %s has the environments %s: say which is meant, with ?endpoint=NAME behind SERVER_HOST, or PORTAINER_ENDPOINT", a.URL, strings.Join(names, ", "))
	case found == nil:
		return nil, fmt.Errorf("Portainer at %s has no environment %q: there are %s", a.URL, a.Endpoint, strings.Join(names, ", "))
	case !found.docker():
		return nil, fmt.Errorf("the environment %s of Portainer at %s is no Docker: take one that is", harmless(found.Name), a.URL)
	}
	return found, nil
}

const roleAdministrator = 1

// administrator makes sure of the token's user. Others see of a Swarm only what Portainer knows
// to be theirs: a plan made of that would be wrong.
func (a *api) administrator(ctx context.Context) error {
	var me struct {
		Username string
		Role     int
	}
	if err := a.get(ctx, "users/me", nil, &me); err != nil {
		var e *Error
		if errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound) {
			return fmt.Errorf("Portainer at %s does not say whose the access token is: it is too old; update it", a.URL)
		}
		return err
	}
	if me.Role != roleAdministrator {
		return fmt.Errorf("the access token in PORTAINER_TOKEN is of %s, who is no administrator of Portainer at %s: Portainer hides from others what was made without it, and refuses them writes that a deploy needs. Take the token of an administrator", harmless(me.Username), a.URL)
	}
	return nil
}
