package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	api "gitlab.com/gitlab-org/api/client-go"

	"slipway/report/comment"
	"slipway/report/retry"
	"slipway/report/thread"
)

// notes are the comments of one merge request.
type notes struct {
	c  *Client
	mr mergeRequest
}

var _ thread.Thread = (*notes)(nil)

// Own implements thread.Thread.
func (n *notes) Own(ctx context.Context, key string) ([]thread.Note, error) {
	me, err := n.c.user(ctx)
	if err != nil {
		return nil, n.c.explain(err, n.mr.iid)
	}
	var out []thread.Note
	options := &api.ListMergeRequestNotesOptions{Sort: api.Ptr("asc"), OrderBy: api.Ptr("created_at")}
	err = pages(func(o ...api.RequestOptionFunc) (*api.Response, error) {
		found, resp, err := n.c.api.Notes.ListMergeRequestNotes(n.mr.project, n.mr.iid, options, append(o, api.WithContext(ctx))...)
		for _, note := range found {
			if !note.System && (me == 0 || note.Author.ID == me) && comment.IsMarked(note.Body, key) {
				out = append(out, thread.Note{ID: note.ID, Body: note.Body})
			}
		}
		return resp, err
	})
	// A comment that is written while the pages are read moves others: one may come twice.
	slices.SortFunc(out, func(a, b thread.Note) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b thread.Note) bool { return a.ID == b.ID }), n.c.explain(err, n.mr.iid)
}

// Create implements thread.Thread.
func (n *notes) Create(ctx context.Context, body string) (thread.Note, error) {
	made, _, err := n.c.api.Notes.CreateMergeRequestNote(n.mr.project, n.mr.iid, &api.CreateMergeRequestNoteOptions{Body: &body}, api.WithContext(ctx))
	if err != nil {
		return thread.Note{}, n.c.explain(err, n.mr.iid)
	}
	return thread.Note{ID: made.ID, Body: made.Body}, nil
}

// Update implements thread.Thread.
func (n *notes) Update(ctx context.Context, id int64, body string) (thread.Note, error) {
	made, _, err := n.c.api.Notes.UpdateMergeRequestNote(n.mr.project, n.mr.iid, id, &api.UpdateMergeRequestNoteOptions{Body: &body}, api.WithContext(ctx))
	if err != nil {
		return thread.Note{}, n.gone(err)
	}
	return thread.Note{ID: made.ID, Body: made.Body}, nil
}

// Delete implements thread.Thread.
func (n *notes) Delete(ctx context.Context, id int64) error {
	_, err := n.c.api.Notes.DeleteMergeRequestNote(n.mr.project, n.mr.iid, id, api.WithContext(ctx))
	return n.gone(err)
}

func (n *notes) gone(err error) error {
	if errors.Is(err, api.ErrNotFound) {
		return thread.ErrGone
	}
	return n.c.explain(err, n.mr.iid)
}

// user is the token's own, 0 where GitLab does not tell.
func (c *Client) user(ctx context.Context) (int64, error) {
	if c.me != nil {
		return *c.me, nil
	}
	u, _, err := c.api.Users.CurrentUser(api.WithContext(ctx))
	switch {
	case err == nil:
		c.me = &u.ID
	case api.HasStatusCode(err, 403) || errors.Is(err, api.ErrNotFound): // a token that may do less
		c.me = new(int64)
	default:
		return 0, err
	}
	return *c.me, nil
}

// maxPages bounds the reading of a list that never ends.
const maxPages = 1000

// pages reads all pages of a list, by X-Next-Page or, where a service leaves it out, by the
// Link header.
func pages(read func(...api.RequestOptionFunc) (*api.Response, error)) error {
	next := "?page=1&per_page=100" // only a link's parameters count
	for range maxPages {
		resp, err := read(api.WithKeysetPaginationParameters(next))
		switch {
		case err != nil:
			return err
		case resp.NextPage > 0:
			next = fmt.Sprintf("?page=%d&per_page=100", resp.NextPage)
		case resp.NextLink != "":
			next = resp.NextLink
		default:
			return nil
		}
	}
	return fmt.Errorf("the list has more than %d pages", maxPages)
}

// explain turns an answer into what a person can do about it. What package thread looks at
// stays as it is.
func (c *Client) explain(err error, iid int64) error {
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
	case errors.Is(err, api.ErrNotFound):
		what := "project " + c.s.Project
		if iid > 0 {
			what = c.place(iid)
		}
		return fmt.Errorf("GitLab shows %s not to the user of GITLAB_TOKEN (404 Not Found): %s", what, create)
	case !errors.As(err, &answer):
		return err
	}
	switch answer.Response.StatusCode {
	case 401:
		return fmt.Errorf("GitLab does not accept GITLAB_TOKEN (401 Unauthorized), it is wrong, expired or revoked: %s", create)
	case 403:
		return fmt.Errorf("GITLAB_TOKEN may not do this (403 %s): it needs the scope api, and its user the role Reporter or higher; %s", answer.Message, create)
	}
	return fmt.Errorf("GitLab answered %s: %s", answer.Response.Status, answer.Message)
}
