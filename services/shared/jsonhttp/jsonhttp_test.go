package jsonhttp

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	const limit = 64
	for name, test := range map[string]struct {
		contentType, body string
		status            int    // 0 is success
		says              string // in the error
	}{
		"an object":             {"application/json", `{"name":"a"}`, 0, ""},
		"with a charset":        {"application/json; charset=utf-8", `{"name":"a"}`, 0, ""},
		"no content type":       {"", `{"name":"a"}`, 0, ""},
		"space after it":        {"", "{\"name\":\"a\"}\n\n", 0, ""},
		"a form":                {"application/x-www-form-urlencoded", `name=a`, 415, "send application/json"},
		"a broken content type": {"application/json; =", `{"name":"a"}`, 415, "Content-Type"},
		"nothing":               {"", ``, 400, "empty"},
		"not JSON":              {"", `{"name":`, 400, "JSON"},
		"a wrong type":          {"", `{"name":1}`, 400, "name"},
		"an unknown field":      {"", `{"nam":"a"}`, 400, `"nam"`},
		"two values":            {"", `{"name":"a"}{}`, 400, "more than one"},
		"rubbish after it":      {"", `{"name":"a"}}`, 400, "more than one"},
		"too large":             {"", `{"name":"` + strings.Repeat("a", limit) + `"}`, 413, "64 bytes"},
		"too large after it":    {"", `{"name":"a"}` + strings.Repeat(" ", limit), 413, "64 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.body))
			if test.contentType != "" {
				r.Header.Set("Content-Type", test.contentType)
			}
			var got struct {
				Name string `json:"name"`
			}
			err := Read(httptest.NewRecorder(), r, limit, &got)
			if test.status == 0 {
				if err != nil || got.Name != "a" {
					t.Fatalf("got %q, %v", got.Name, err)
				}
				return
			}
			answer, ok := errors.AsType[*Error](err)
			if !ok || answer.Status != test.status || !strings.Contains(answer.Message, test.says) {
				t.Fatalf("got %#v; want status %d and %q", err, test.status, test.says)
			}
		})
	}
}

func TestHandlerAnswersErrors(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	ask := func(err error) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		Handler(log, func(http.ResponseWriter, *http.Request) error { return err }).
			ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil))
		return w
	}

	w := ask(&Error{Status: 503, Message: "soon", RetryAfter: 5 * time.Second})
	if w.Code != 503 || w.Body.String() != `{"error":"soon"}`+"\n" || w.Header().Get("Retry-After") != "5" {
		t.Errorf("a known error: %d %s %v", w.Code, w.Body, w.Header())
	}
	if logged.Len() > 0 {
		t.Errorf("a known error is logged: %s", &logged)
	}

	w = ask(errors.New("user postgres at 10.0.0.1"))
	if w.Code != 500 || w.Body.String() != `{"error":"internal error"}`+"\n" {
		t.Errorf("an unknown error: %d %s", w.Code, w.Body)
	}
	if !strings.Contains(logged.String(), "10.0.0.1") {
		t.Errorf("an unknown error is not logged: %s", &logged)
	}
}

func TestWriteWhatCannotBeEncoded(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, http.StatusOK, math.NaN())
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 500 || !strings.Contains(string(body), "could not be encoded") {
		t.Errorf("%d %s %v", w.Code, body, err)
	}
}
