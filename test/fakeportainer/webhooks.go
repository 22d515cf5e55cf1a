package fakeportainer

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// webhook is as Portainer's database has it.
type webhook struct {
	ID         int    `json:"Id"`
	Token      string `json:"Token"`
	ResourceID string `json:"ResourceId"` // of a service
	EndpointID int    `json:"EndpointId"`
	RegistryID int    `json:"RegistryId"`
	Type       int    `json:"Type"`
}

// Enable switches a service's webhook on, as a person does at the service, and gives its address.
// registry is the number of one that AddRegistry made, 0 for none.
func (s *Server) Enable(t testing.TB, environment, serviceID string, registry int) (address string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.environments {
		if e.Name == environment {
			h := webhook{len(s.webhooks) + 1, uuid(), serviceID, e.ID, registry, 1}
			s.webhooks[h.Token] = h
			return s.URL + "/api/webhooks/" + h.Token
		}
	}
	t.Fatalf("the fake has no environment %s", environment)
	return ""
}

func uuid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// hooks is api/http/handler/webhooks.
func (s *Server) hooks(w http.ResponseWriter, r *http.Request, rest string) {
	switch {
	case rest == "" && r.Method == http.MethodGet:
		s.listHooks(w, r)
	case strings.HasPrefix(rest, "/") && r.Method == http.MethodPost:
		s.mu.Lock()
		h, ok := s.webhooks[rest[1:]]
		s.mu.Unlock()
		if !ok {
			fail(w, http.StatusNotFound, "Unable to find a webhook with this token", "Object not found inside the database")
			return
		}
		s.execute(w, r, h)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *Server) listHooks(w http.ResponseWriter, r *http.Request) {
	u, ok := s.user(w, r)
	if !ok {
		return
	}
	var filters struct {
		ResourceID string
		EndpointID int
	}
	if text := r.URL.Query().Get("filters"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			fail(w, http.StatusBadRequest, "Invalid query parameter: filters", err.Error())
			return
		}
	}
	out := []webhook{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.webhooks {
		if u.Admin && (filters.ResourceID == "" && filters.EndpointID == 0 || h.ResourceID == filters.ResourceID && h.EndpointID == filters.EndpointID) {
			out = append(out, h)
		}
	}
	answer(w, out)
}

// execute is webhook_execute.go, line by line: what it does with the image's name, that it pulls
// only to see whether it may, that the digest is looked up with a mere warning, and that it
// answers once the Swarm has the update.
func (s *Server) execute(w http.ResponseWriter, r *http.Request, h webhook) {
	s.mu.Lock()
	var e Environment
	for _, one := range s.environments {
		if one.ID == h.EndpointID {
			e = one
		}
	}
	known := s.registries[h.RegistryID]
	s.mu.Unlock()
	docker, err := client.New(client.WithHost("unix://" + e.Daemon))
	if err != nil {
		fail(w, http.StatusInternalServerError, "Error creating docker client", err.Error())
		return
	}
	defer func() { _ = docker.Close() }()
	ctx := r.Context()
	got, err := docker.ServiceInspect(ctx, h.ResourceID, client.ServiceInspectOptions{InsertDefaults: true})
	if err != nil || e.Down {
		fail(w, http.StatusInternalServerError, "Error looking up service", fmt.Sprint(err))
		return
	}
	spec := got.Service.Spec
	spec.TaskTemplate.ForceUpdate++
	image := strings.Split(spec.TaskTemplate.ContainerSpec.Image, "@sha")[0]
	tag := r.URL.Query().Get("tag")
	if tag != "" {
		last := strings.LastIndex(image, ":")
		if last == -1 {
			last = len(image)
		}
		image = image[:last] + ":" + tag
	}
	spec.TaskTemplate.ContainerSpec.Image = image
	auth := ""
	if known.user != "" {
		text, err := json.Marshal(map[string]string{"username": known.user, "password": known.password, "serveraddress": known.host})
		if err != nil {
			fail(w, http.StatusInternalServerError, "Error getting registry auth header", err.Error())
			return
		}
		auth = base64.StdEncoding.EncodeToString(text)
	}
	if tag != "" {
		pull, err := docker.ImagePull(ctx, image, client.ImagePullOptions{RegistryAuth: auth})
		if err != nil {
			fail(w, http.StatusNotFound, "Error pulling image with the specified tag", err.Error())
			return
		}
		defer func() { _ = pull.Close() }()
	}
	if _, err := docker.ServiceUpdate(ctx, h.ResourceID, client.ServiceUpdateOptions{
		Version: got.Service.Version, Spec: spec, EncodedRegistryAuth: auth, QueryRegistry: true,
	}); err != nil {
		fail(w, http.StatusInternalServerError, "Error updating service", err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
