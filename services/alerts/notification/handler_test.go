package notification

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// teller is chats of which so many hear, and the others do not.
type teller struct {
	told int
	err  error
}

func (s teller) Tell(context.Context, []string) (int, error) { return s.told, s.err }

// Alertmanager tries again after a 5xx, and not after anything else.
func TestAnAlertIsNeitherLostNorToldTwice(t *testing.T) {
	away := errors.New("telegram was not told")
	for _, test := range []struct {
		chats  teller
		status int
	}{
		{teller{2, nil}, 200},
		{teller{1, away}, 200}, // another try would tell that one again
		{teller{0, away}, 502},
	} {
		var logged strings.Builder
		w := httptest.NewRecorder()
		Handler(test.chats, slog.New(slog.NewTextHandler(&logged, nil))).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/notify",
			strings.NewReader(`{"version":"4","alerts":[{"status":"firing"}]}`)))
		if w.Code != test.status || strings.Contains(logged.String(), "telegram was not told") != (test.chats.err != nil) {
			t.Errorf("%v: %d %s, logged %s", test.chats, w.Code, w.Body, logged.String())
		}
	}
}
