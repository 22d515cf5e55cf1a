// Package jsonhttp reads and writes the JSON bodies of HTTP requests and answers. An error
// is answered as {"error": "what went wrong"} with the status that fits.
package jsonhttp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Error is an answer other than success; its message is for whoever sent the request.
type Error struct {
	Status     int
	Message    string
	RetryAfter time.Duration // when to try again, in whole seconds; 0 says nothing
}

func (e *Error) Error() string { return e.Message }

// Write answers with body as JSON. A body that cannot be encoded becomes a 500, since
// nothing has been sent by then.
func Write(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"the answer could not be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // a client that has gone is no error of ours
}

// WriteError answers with e.
func WriteError(w http.ResponseWriter, e *Error) {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(e.RetryAfter.Seconds())))
	}
	Write(w, e.Status, struct {
		Error string `json:"error"`
	}{e.Message})
}

// Handler turns a function that may fail into a handler. An *Error is answered as it says.
// Any other error is logged and answered as a bare 500, since its text is for operators.
func Handler(log *slog.Logger, serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := serve(w, r)
		if err == nil {
			return
		}
		if known, ok := errors.AsType[*Error](err); ok {
			WriteError(w, known)
			return
		}
		if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
			return // the client has gone: nobody is left to answer
		}
		log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		WriteError(w, &Error{Status: http.StatusInternalServerError, Message: "internal error"})
	})
}
