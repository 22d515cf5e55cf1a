package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"services/shared/jsonhttp"
)

// maxRequest is in bytes; Alertmanager sends some hundred for each alert.
const maxRequest = 4 << 20

// Teller tells chats: chat.Chats.
type Teller interface {
	Tell(ctx context.Context, lines []string) (told int, err error)
}

// Handler takes Alertmanager's POST. Where no chat at all was told it answers 502, after which
// Alertmanager tries again; where one was, it does not, since that one would be told twice.
func Handler(chats Teller, log *slog.Logger) http.Handler {
	return jsonhttp.Handler(log, func(w http.ResponseWriter, r *http.Request) error {
		var n Notification
		// Alertmanager's later versions may add fields: unlike in this service's own API, those
		// that are not known are no error.
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&n); err != nil {
			return &jsonhttp.Error{Status: http.StatusBadRequest, Message: "the body is not a notification of Alertmanager: " + err.Error()}
		}
		if n.Version != "4" || len(n.Alerts) == 0 {
			return &jsonhttp.Error{
				Status:  http.StatusBadRequest,
				Message: fmt.Sprintf("the body is not a notification of Alertmanager: version %q (4 is known) with %d alerts", n.Version, len(n.Alerts)),
			}
		}
		told, err := chats.Tell(r.Context(), n.Lines())
		if err != nil {
			log.ErrorContext(r.Context(), "telling the chats", "told", told, "error", err)
		}
		if told == 0 {
			return &jsonhttp.Error{Status: http.StatusBadGateway, Message: "no chat was told; the log says why"}
		}
		jsonhttp.Write(w, http.StatusOK, struct {
			Told int `json:"told"`
		}{told})
		return nil
	})
}
