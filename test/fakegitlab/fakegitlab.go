// Package fakegitlab is the part of GitLab's REST API that slipway uses, as
// https://docs.gitlab.com/api/rest/ documents it, and stricter: a field that is not documented
// is refused.
package fakegitlab

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"slipway/test/faulty"
)

// Roles of a project's members.
const (
	Guest      = 10
	Reporter   = 20
	Maintainer = 40
)

// User is somebody with an access token, or the bot of one.
type User struct {
	ID       int64
	Username string
	Scopes   []string // of the token: "api", "read_api"
}

// Note is a comment, or a system note.
type Note struct {
	ID     int64
	Author User
	Body   string
	System bool
	Made   time.Time
}

// MergeRequest is a merge request. Commits are those that it brings.
type MergeRequest struct {
	IID     int64
	State   string // "opened", "merged", "closed"
	Labels  []string
	Branch  string // source
	Commits []string
	Locked  bool
	notes   []*Note
}

// Project is a private project.
type Project struct {
	ID      int64
	Path    string // "group/project"
	Members map[string]int
	mrs     []*MergeRequest
}

// Server is the fake.
type Server struct {
	URL    string // as CI_API_V4_URL
	Faults faulty.Plan

	mu       sync.Mutex
	users    map[string]User
	projects []*Project
	lastNote int64
	commands []string
	requests []string
}

// Start runs a fake until the test ends.
func Start(t testing.TB) *Server {
	s := &Server{users: map[string]User{}, lastNote: 100}
	server := httptest.NewServer(s.Faults.Wrap(http.HandlerFunc(s.serve)))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s.URL = server.URL + "/api/v4"
	return s
}

// AddUser makes a token work.
func (s *Server) AddUser(token string, u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[token] = u
}

// AddProject makes a project.
func (s *Server) AddProject(p Project) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.projects = append(s.projects, &p)
}

// AddMergeRequest makes a merge request in the project.
func (s *Server) AddMergeRequest(project int64, mr MergeRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.projects {
		if p.ID == project {
			p.mrs = append(p.mrs, &mr)
		}
	}
}

func (s *Server) mr(project, iid int64) *MergeRequest {
	for _, p := range s.projects {
		for _, mr := range p.mrs {
			if p.ID == project && mr.IID == iid {
				return mr
			}
		}
	}
	return nil
}

// AddNote writes a comment as somebody else.
func (s *Server) AddNote(project, iid int64, author User, body string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(s.mr(project, iid), author, body).ID
}

func (s *Server) add(mr *MergeRequest, author User, body string) *Note {
	s.lastNote++
	n := &Note{ID: s.lastNote, Author: author, Body: body, Made: time.Unix(1_700_000_000+s.lastNote, 0).UTC()}
	mr.notes = append(mr.notes, n)
	s.commands = append(s.commands, quickActions(body)...)
	return n
}

// RemoveNotes removes all comments of a merge request, as a person would.
func (s *Server) RemoveNotes(project, iid int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mr(project, iid).notes = nil
}

// Notes are the comments of a merge request.
func (s *Server) Notes(project, iid int64) []Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Note
	for _, n := range s.mr(project, iid).notes {
		out = append(out, *n)
	}
	return out
}

// Commands are the quick actions (/close, …) that comments carried out.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Requests are "METHOD path" of what was asked.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}
