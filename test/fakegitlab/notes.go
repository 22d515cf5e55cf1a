package fakegitlab

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxNote is in characters: https://docs.gitlab.com/administration/instance_limits/, "Size of comments".
const maxNote = 1_000_000

func (q *request) shownNote(n *Note) map[string]any {
	return map[string]any{
		"id": n.ID, "body": n.Body, "author": shown(n.Author), "system": n.System, "internal": false, "resolvable": false,
		"created_at": n.Made.Format(time.RFC3339), "updated_at": n.Made.Format(time.RFC3339),
		"project_id": q.project.ID,
	}
}

func (q *request) list() {
	query := q.r.URL.Query()
	for name, allowed := range map[string][]string{"sort": {"", "asc", "desc"}, "order_by": {"", "created_at", "updated_at"}} {
		if !slices.Contains(allowed, query.Get(name)) {
			q.invalid(name + " does not have a valid value")
			return
		}
	}
	notes := []any{}
	for _, n := range q.mr.notes {
		notes = append(notes, q.shownNote(n))
	}
	if query.Get("sort") != "asc" {
		slices.Reverse(notes)
	}
	page(q, notes)
}

// text is the one field that these requests have.
func (q *request) text() (string, bool) {
	kind, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	data, err := io.ReadAll(q.r.Body)
	fields := map[string]any{}
	switch {
	case err != nil:
		q.invalid("the body cannot be read")
		return "", false
	case kind == "application/json":
		if json.Unmarshal(data, &fields) != nil {
			q.invalid("Bad Request")
			return "", false
		}
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(data))
		if err != nil {
			q.invalid("Bad Request")
			return "", false
		}
		for k, v := range form {
			fields[k] = v[0]
		}
	default:
		q.json(http.StatusUnsupportedMediaType, map[string]string{"error": "The provided content-type '" + kind + "' is not supported."})
		return "", false
	}
	for name := range fields {
		if name != "body" {
			q.invalid(name + " is not documented for this request")
			return "", false
		}
	}
	raw, there := fields["body"]
	body, isText := raw.(string)
	switch {
	case !there:
		q.invalid("body is missing")
	case !isText:
		q.invalid("body is invalid")
	case strings.TrimSpace(body) == "":
		q.fail(http.StatusBadRequest, `400 Bad request - Note {:note=>["can't be blank"]}`)
	case utf8.RuneCountInString(body) > maxNote:
		q.json(http.StatusBadRequest, map[string]any{"message": map[string]any{"note": []string{"is too long (maximum is 1000000 characters)"}}})
	default:
		return body, true
	}
	return "", false
}

func (q *request) create() {
	body, ok := q.text()
	switch {
	case !ok:
	case q.mr.Locked && q.project.Members[q.user.Username] < Maintainer:
		q.fail(http.StatusForbidden, "403 Forbidden")
	default:
		q.json(http.StatusCreated, q.shownNote(q.s.add(q.mr, q.user, body)))
	}
}

func (q *request) one(id string) {
	i := slices.IndexFunc(q.mr.notes, func(n *Note) bool { return strconv.FormatInt(n.ID, 10) == id })
	if i < 0 {
		q.fail(http.StatusNotFound, "404 Note Not Found")
		return
	}
	n := q.mr.notes[i]
	mine := n.Author.ID == q.user.ID || q.project.Members[q.user.Username] >= Maintainer
	switch {
	case !q.method(http.MethodGet, http.MethodPut, http.MethodDelete):
	case q.r.Method == http.MethodGet:
		q.json(http.StatusOK, q.shownNote(n))
	case !mine || n.System:
		q.fail(http.StatusForbidden, "403 Forbidden")
	case q.r.Method == http.MethodDelete:
		q.mr.notes = slices.Delete(q.mr.notes, i, i+1)
		q.w.WriteHeader(http.StatusNoContent)
	default:
		if body, ok := q.text(); ok {
			n.Body = body
			q.s.commands = append(q.s.commands, quickActions(body)...)
			q.json(http.StatusOK, q.shownNote(n))
		}
	}
}

var (
	// code is what GitLab leaves out when it looks for quick actions
	// (lib/gitlab/quick_actions/extractor.rb, CODE_REGEX).
	code   = regexp.MustCompile("(?ms)^```.+?\n```$")
	action = regexp.MustCompile(`(?m)^/([a-z_]+)(?: .*)?$`)
)

func quickActions(body string) []string {
	return action.FindAllString(code.ReplaceAllString(body, ""), -1)
}
