// Package fakegithub is the part of GitHub's REST API that slipway uses, as
// https://docs.github.com/en/rest documents it (version 2022-11-28), and stricter: a field that
// is not documented is refused.
package fakegithub

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"slipway/test/faulty"
)

// Token is who may do what.
type Token struct {
	ID    int64
	Login string
	// Installation: a workflow's token. It has no user that it could ask for.
	Installation bool
	// Permissions are such as "issues": "write".
	Permissions map[string]string
}

// Comment is an issue's comment.
type Comment struct {
	ID     int64
	Author Token
	Body   string
}

// PullRequest is a pull request, and the issue that goes with it.
type PullRequest struct {
	Number  int
	State   string // "open", "closed"
	Labels  []string
	Branch  string // head
	Commits []string
	Locked  bool

	comments []*Comment
}

// Server is the fake, with one repository.
type Server struct {
	URL        string // as GITHUB_API_URL
	Repository string
	Faults     faulty.Plan

	mu       sync.Mutex
	tokens   map[string]Token
	pulls    []*PullRequest
	last     int64
	requests []string
}

// Start runs a fake until the test ends.
func Start(t testing.TB, repository string) *Server {
	s := &Server{Repository: repository, tokens: map[string]Token{}, last: 900}
	server := httptest.NewServer(s.Faults.Wrap(http.HandlerFunc(s.serve)))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s.URL = server.URL
	return s
}

// AddToken makes a token work.
func (s *Server) AddToken(token string, t Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = t
}

// AddPullRequest makes a pull request.
func (s *Server) AddPullRequest(p PullRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulls = append(s.pulls, &p)
}

func (s *Server) pull(number int) *PullRequest {
	for _, p := range s.pulls {
		if p.Number == number {
			return p
		}
	}
	return nil
}

// AddComment writes a comment as somebody else.
func (s *Server) AddComment(number int, author Token, body string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(s.pull(number), author, body).ID
}

func (s *Server) add(p *PullRequest, author Token, body string) *Comment {
	s.last++
	c := &Comment{ID: s.last, Author: author, Body: body}
	p.comments = append(p.comments, c)
	return c
}

// RemoveComments removes all comments of a pull request, as a person would.
func (s *Server) RemoveComments(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pull(number).comments = nil
}

// Comments are those of a pull request.
func (s *Server) Comments(number int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Comment
	for _, c := range s.pull(number).comments {
		out = append(out, *c)
	}
	return out
}

// Requests are "METHOD path" of what was asked.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}
