package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	api "github.com/google/go-github/v84/github"

	"slipway/report/comment"
	"slipway/report/retry"
	"slipway/report/thread"
)

// comments are those of one pull request, which GitHub keeps as an issue's.
type comments struct {
	c      *Client
	number int
}

var _ thread.Thread = (*comments)(nil)

// Own implements thread.Thread. A workflow's own token does not say whose it is: then comments
// of bots count, and never a person's.
func (m *comments) Own(ctx context.Context, key string) ([]thread.Note, error) {
	me, err := m.c.user(ctx)
	if err != nil {
		return nil, m.c.explain(err, m.number)
	}
	var out []thread.Note
	err = pages(func(o api.ListOptions) (*api.Response, error) {
		found, resp, err := m.c.api.Issues.ListComments(ctx, m.c.owner, m.c.name, m.number, &api.IssueListCommentsOptions{ListOptions: o})
		for _, n := range found {
			own := n.GetUser().GetID() == me
			if me == 0 {
				own = n.GetUser().GetType() == "Bot"
			}
			if own && comment.IsMarked(n.GetBody(), key) {
				out = append(out, note(n))
			}
		}
		return resp, err
	})
	slices.SortFunc(out, func(a, b thread.Note) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b thread.Note) bool { return a.ID == b.ID }), m.c.explain(err, m.number)
}

func note(n *api.IssueComment) thread.Note {
	return thread.Note{ID: n.GetID(), Body: n.GetBody(), URL: n.GetHTMLURL()}
}

// Create implements thread.Thread.
func (m *comments) Create(ctx context.Context, body string) (thread.Note, error) {
	made, _, err := m.c.api.Issues.CreateComment(ctx, m.c.owner, m.c.name, m.number, &api.IssueComment{Body: &body})
	return note(made), m.c.explain(err, m.number)
}

// Update implements thread.Thread.
func (m *comments) Update(ctx context.Context, id int64, body string) (thread.Note, error) {
	made, _, err := m.c.api.Issues.EditComment(ctx, m.c.owner, m.c.name, id, &api.IssueComment{Body: &body})
	return note(made), m.gone(err)
}

// Delete implements thread.Thread.
func (m *comments) Delete(ctx context.Context, id int64) error {
	_, err := m.c.api.Issues.DeleteComment(ctx, m.c.owner, m.c.name, id)
	return m.gone(err)
}

func (m *comments) gone(err error) error {
	var answer *api.ErrorResponse
	if errors.As(err, &answer) && (answer.Response.StatusCode == 404 || answer.Response.StatusCode == 410) {
		return thread.ErrGone
	}
	return m.c.explain(err, m.number)
}

// user is the token's own, 0 where GitHub does not tell: to a workflow's token it answers 403,
// "Resource not accessible by integration".
func (c *Client) user(ctx context.Context) (int64, error) {
	if c.me != nil {
		return *c.me, nil
	}
	u, _, err := c.api.Users.Get(ctx, "")
	var answer *api.ErrorResponse
	switch {
	case err == nil:
		id := u.GetID()
		c.me = &id
	case errors.As(err, &answer) && (answer.Response.StatusCode == 403 || answer.Response.StatusCode == 404):
		c.me = new(int64)
	default:
		return 0, err
	}
	return *c.me, nil
}

// maxPages bounds the reading of a list that never ends.
const maxPages = 1000

// pages reads all pages of a list, by the Link header.
func pages(read func(api.ListOptions) (*api.Response, error)) error {
	o := api.ListOptions{Page: 1, PerPage: 100}
	for range maxPages {
		resp, err := read(o)
		if err != nil || resp.NextPage == 0 {
			return err
		}
		o.Page = resp.NextPage
	}
	return fmt.Errorf("the list has more than %d pages", maxPages)
}

// explain turns an answer into what a person can do about it. What package thread looks at
// stays as it is.
func (c *Client) explain(err error, number int) error {
	var unsure *retry.UnsureError
	var gaveUp *retry.GaveUpError
	var answer *api.ErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unsure):
		return unsure
	case errors.As(err, &gaveUp):
		return gaveUp
	case !errors.As(err, &answer):
		return err
	}
	said := answer.Message
	switch answer.Response.StatusCode {
	case 401:
		return fmt.Errorf("GitHub does not accept GITHUB_TOKEN (401 %s), it is wrong, expired or revoked: %s", said, permit)
	case 403:
		if strings.Contains(said, "locked") {
			return fmt.Errorf("GitHub takes no comment (403 %s): unlock the conversation of %s", said, c.place(number))
		}
		needs := ""
		if v := answer.Response.Header.Get("X-Accepted-GitHub-Permissions"); v != "" {
			needs = " (GitHub names " + v + ")"
		}
		return fmt.Errorf("GITHUB_TOKEN may not do this (403 %s): it needs pull-requests: write and issues: write%s; %s. For a pull request from a fork the token can only read", said, needs, permit)
	case 404:
		what := "repository " + c.s.Repository
		if number > 0 {
			what = c.place(number)
		}
		return fmt.Errorf("GitHub shows %s not to GITHUB_TOKEN (404 %s): %s", what, said, permit)
	}
	var details []string
	for _, e := range answer.Errors {
		details = append(details, e.Message)
	}
	return fmt.Errorf("GitHub answered %s: %s", answer.Response.Status, strings.Join(append([]string{said}, details...), ", "))
}
