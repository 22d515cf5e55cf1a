package notes

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"services/backend/database"
)

type asker struct {
	t   *testing.T
	mux *http.ServeMux
}

func serving(t *testing.T, store Store) asker {
	t.Helper()
	a := asker{t, http.NewServeMux()}
	Register(a.mux.Handle, store, slog.New(slog.DiscardHandler))
	return a
}

// ask sends a request and checks the answer's status and body (without its last newline).
func (a asker) ask(method, target, body string, status int, want string) *httptest.ResponseRecorder {
	a.t.Helper()
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, httptest.NewRequestWithContext(a.t.Context(), method, target, strings.NewReader(body)))
	if got := strings.TrimSuffix(w.Body.String(), "\n"); w.Code != status || got != want {
		a.t.Errorf("%s %s: %d %s; want %d %s", method, target, w.Code, got, status, want)
	}
	return w
}

const (
	first  = `{"id":1,"title":"first","body":"","created_at":"1970-01-01T00:00:00Z"}`
	second = `{"id":2,"title":"second","body":"words","created_at":"1970-01-01T00:00:00Z"}`
)

func TestNotes(t *testing.T) {
	a := serving(t, &fake{})
	a.ask("GET", "/api/notes", "", 200, `{"notes":[],"limit":20,"offset":0,"more":false}`)
	w := a.ask("POST", "/api/notes", `{"title":" first "}`, 201, first)
	if at := w.Header().Get("Location"); at != "/api/notes/1" {
		t.Errorf("Location: %q", at)
	}
	a.ask("POST", "/api/notes", `{"title":"second","body":"words"}`, 201, second)
	a.ask("GET", "/api/notes/2", "", 200, second)

	a.ask("GET", "/api/notes", "", 200, `{"notes":[`+second+","+first+`],"limit":20,"offset":0,"more":false}`)
	a.ask("GET", "/api/notes?limit=1", "", 200, `{"notes":[`+second+`],"limit":1,"offset":0,"more":true}`)
	a.ask("GET", "/api/notes?limit=1&offset=1", "", 200, `{"notes":[`+first+`],"limit":1,"offset":1,"more":false}`)
	a.ask("GET", "/api/notes?offset=9", "", 200, `{"notes":[],"limit":20,"offset":9,"more":false}`)

	a.ask("DELETE", "/api/notes/2", "", 204, "")
	a.ask("GET", "/api/notes/2", "", 404, `{"error":"there is no such note"}`)
	a.ask("DELETE", "/api/notes/2", "", 404, `{"error":"there is no such note"}`)
}

func TestBadRequests(t *testing.T) {
	store := &fake{}
	a := serving(t, store)
	for _, test := range []struct {
		method, target, body string
		status               int
		says                 string
	}{
		{"GET", "/api/notes?limit=0", "", 400, `limit is \"0\"; it must be a whole number from 1 to 100`},
		{"GET", "/api/notes?limit=101", "", 400, `limit is \"101\"; it must be a whole number from 1 to 100`},
		{"GET", "/api/notes?offset=-1", "", 400, `offset is \"-1\"; it must be a whole number from 0 to 2147483647`},
		{"GET", "/api/notes?offset=all", "", 400, `offset is \"all\"; it must be a whole number from 0 to 2147483647`},
		{"GET", "/api/notes/one", "", 400, `the id \"one\" is not a whole number from 1`},
		{"DELETE", "/api/notes/0", "", 400, `the id \"0\" is not a whole number from 1`},
		{"POST", "/api/notes", `{"title":"  "}`, 422, "title is empty; a note needs one"},
		{"POST", "/api/notes", `{"title":"` + strings.Repeat("é", 201) + `"}`, 422, "title is longer than 200 characters"},
		{"POST", "/api/notes", `{"title":"a","body":"` + strings.Repeat("a", 10_001) + `"}`, 422, "body is longer than 10000 characters"},
		{"POST", "/api/notes", `{"title":"a\u0000b"}`, 422, "title and body cannot hold the character U+0000"},
		{"POST", "/api/notes", ``, 400, "the body is empty; send a JSON object"},
		{"POST", "/api/notes", `{"title":"` + strings.Repeat("a", 64<<10) + `"}`, 413, "the body is larger than 65536 bytes"},
	} {
		a.ask(test.method, test.target, test.body, test.status, `{"error":"`+test.says+`"}`)
	}
	if len(store.notes) != 0 {
		t.Errorf("stored: %v", store.notes)
	}
	longest := `{"title":"` + strings.Repeat("é", 200) + `","body":"` + strings.Repeat("😀", 10_000) + `"}`
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/api/notes", strings.NewReader(longest)))
	if w.Code != 201 {
		t.Errorf("the longest note: %d %s", w.Code, w.Body)
	}
}

func TestStoreFails(t *testing.T) {
	for _, request := range [][2]string{
		{"GET", "/api/notes"}, {"POST", "/api/notes"}, {"GET", "/api/notes/1"}, {"DELETE", "/api/notes/1"},
	} {
		const body = `{"title":"a"}`
		a := serving(t, &fake{err: database.ErrNotReady})
		w := a.ask(request[0], request[1], body, 503, `{"error":"the database cannot be reached; try again soon"}`)
		if after := w.Header().Get("Retry-After"); after != "5" {
			t.Errorf("Retry-After: %q", after)
		}
		serving(t, &fake{err: errors.New("secret detail")}).ask(request[0], request[1], body, 500, `{"error":"internal error"}`)
	}
}
