package notes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"services/backend/database"
	"services/shared/jsonhttp"
)

const (
	maxRequest   = 64 << 10 // bytes: more than the longest note needs, in UTF-8
	queryTimeout = 5 * time.Second

	defaultLimit = 20
	maxLimit     = 100
)

// Page is the answer to a list request.
type Page struct {
	Notes  []Note `json:"notes"`
	Limit  int    `json:"limit"`
	Offset int    `json:"offset"`
	More   bool   `json:"more"` // there are notes after these
}

// Register adds the routes of notes with handle, which is a service's Handle:
//
//	POST   /api/notes                    {"title": …, "body": …}; 201 and the note
//	GET    /api/notes?limit=20&offset=0  the newest first
//	GET    /api/notes/{id}
//	DELETE /api/notes/{id}               204
//
// While the database cannot be reached, they answer 503.
func Register(handle func(pattern string, handler http.Handler), store Store, log *slog.Logger) {
	h := handlers{store: store}
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request) error{
		"POST /api/notes":        h.create,
		"GET /api/notes":         h.list,
		"GET /api/notes/{id}":    h.get,
		"DELETE /api/notes/{id}": h.remove,
	} {
		handle(pattern, jsonhttp.Handler(log, func(w http.ResponseWriter, r *http.Request) error {
			ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
			defer cancel()
			return answerable(r.Context(), serve(w, r.WithContext(ctx)), log)
		}))
	}
}

type handlers struct{ store Store }

func (h handlers) create(w http.ResponseWriter, r *http.Request) error {
	var draft Draft
	if err := jsonhttp.Read(w, r, maxRequest, &draft); err != nil {
		return err
	}
	draft, err := draft.cleaned()
	if err != nil {
		return err
	}
	note, err := h.store.Create(r.Context(), draft)
	if err != nil {
		return err
	}
	w.Header().Set("Location", fmt.Sprintf("/api/notes/%d", note.ID))
	jsonhttp.Write(w, http.StatusCreated, note)
	return nil
}

func (h handlers) list(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	limit, err := number(query, "limit", defaultLimit, 1, maxLimit)
	if err != nil {
		return err
	}
	offset, err := number(query, "offset", 0, 0, math.MaxInt32)
	if err != nil {
		return err
	}
	found, err := h.store.List(r.Context(), limit+1, offset) // one more tells whether there are more
	if err != nil {
		return err
	}
	if found == nil {
		found = []Note{} // [] and not null
	}
	page := Page{Notes: found[:min(limit, len(found))], Limit: limit, Offset: offset, More: len(found) > limit}
	jsonhttp.Write(w, http.StatusOK, page)
	return nil
}

func (h handlers) get(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	note, err := h.store.Get(r.Context(), id)
	if err != nil {
		return err
	}
	jsonhttp.Write(w, http.StatusOK, note)
	return nil
}

func (h handlers) remove(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := h.store.Delete(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func pathID(r *http.Request) (int64, error) {
	given := r.PathValue("id")
	id, err := strconv.ParseInt(given, 10, 64)
	if err != nil || id < 1 {
		return 0, badRequest(fmt.Sprintf("the id %q is not a whole number from 1", given))
	}
	return id, nil
}

func number(query url.Values, name string, unset, least, most int) (int, error) {
	given := query.Get(name)
	if given == "" {
		return unset, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < least || n > most {
		return 0, badRequest(fmt.Sprintf("%s is %q; it must be a whole number from %d to %d", name, given, least, most))
	}
	return n, nil
}

func badRequest(message string) error {
	return &jsonhttp.Error{Status: http.StatusBadRequest, Message: message}
}

// answerable turns the store's errors into answers. request is the request's own context,
// without queryTimeout: once it has ended, nobody is left to answer.
func answerable(request context.Context, err error, log *slog.Logger) error {
	switch {
	case err == nil || request.Err() != nil:
		return err
	case errors.Is(err, ErrNotFound):
		return &jsonhttp.Error{Status: http.StatusNotFound, Message: err.Error()}
	case database.Unreachable(err):
		log.Warn("notes are unavailable", "error", err)
		return &jsonhttp.Error{
			Status:     http.StatusServiceUnavailable,
			Message:    "the database cannot be reached; try again soon",
			RetryAfter: 5 * time.Second,
		}
	}
	return err
}
