package fakegithub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxBody = 65536 // characters

func (q *request) shown(p *PullRequest, c *Comment) map[string]any {
	return map[string]any{
		"id": c.ID, "body": c.Body, "user": user(c.Author), "created_at": "2026-11-25T12:00:00Z", "updated_at": "2026-11-25T12:00:00Z",
		"html_url": fmt.Sprintf("https://github.com/%s/pull/%d#issuecomment-%d", q.s.Repository, p.Number, c.ID),
	}
}

func (q *request) list(m []string) {
	if !q.may("read", "issues", "pull_requests") {
		return
	}
	if p := q.issue(m[1]); p != nil {
		all := []any{}
		for _, c := range p.comments {
			all = append(all, q.shown(p, c))
		}
		q.page(all)
	}
}

func (q *request) create(m []string) {
	if !q.may("write", "issues", "pull_requests") {
		return
	}
	p := q.issue(m[1])
	switch {
	case p == nil:
	case p.Locked:
		q.fail(http.StatusForbidden, "Unable to create comment because issue is locked.")
	default:
		if body, ok := q.body(); ok {
			q.json(http.StatusCreated, q.shown(p, q.s.add(p, q.token, body)))
		}
	}
}

func (q *request) one(m []string) {
	id, _ := strconv.ParseInt(m[1], 10, 64)
	for _, p := range q.s.pulls {
		i := slices.IndexFunc(p.comments, func(c *Comment) bool { return c.ID == id })
		if i < 0 {
			continue
		}
		switch q.r.Method {
		case http.MethodGet:
			if q.may("read", "issues", "pull_requests") {
				q.json(http.StatusOK, q.shown(p, p.comments[i]))
			}
		case http.MethodDelete:
			if q.may("write", "issues", "pull_requests") {
				p.comments = slices.Delete(p.comments, i, i+1)
				q.w.WriteHeader(http.StatusNoContent)
			}
		default:
			if !q.may("write", "issues", "pull_requests") {
				return
			}
			if body, ok := q.body(); ok {
				p.comments[i].Body = body
				q.json(http.StatusOK, q.shown(p, p.comments[i]))
			}
		}
		return
	}
	q.fail(http.StatusNotFound, "Not Found")
}

// body is the one field that these requests have.
func (q *request) body() (string, bool) {
	var fields map[string]any
	if err := json.NewDecoder(q.r.Body).Decode(&fields); err != nil {
		q.fail(http.StatusBadRequest, "Problems parsing JSON")
		return "", false
	}
	for name := range fields {
		if name != "body" {
			q.fail(http.StatusUnprocessableEntity, fmt.Sprintf("Invalid request.\n\n%q is not a permitted key.", name))
			return "", false
		}
	}
	raw, there := fields["body"]
	body, isText := raw.(string)
	switch {
	case !there:
		q.fail(http.StatusUnprocessableEntity, "Invalid request.\n\n\"body\" wasn't supplied.")
	case !isText:
		q.fail(http.StatusUnprocessableEntity, fmt.Sprintf("Invalid request.\n\nFor 'properties/body', %v is not a string.", raw))
	case strings.TrimSpace(body) == "":
		q.validation("Body cannot be blank")
	case utf8.RuneCountInString(body) > maxBody:
		q.validation("Body is too long (maximum is 65536 characters)")
	default:
		return body, true
	}
	return "", false
}

func (q *request) validation(message string) {
	q.json(http.StatusUnprocessableEntity, map[string]any{
		"message": "Validation Failed", "documentation_url": "https://docs.github.com/rest/issues/comments#create-an-issue-comment",
		"errors": []any{map[string]string{"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": message}},
	})
}
