package jsonhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// Read decodes the request's body, one JSON value of at most limit bytes, into v. Fields
// that v does not have are refused, since a misspelt one would otherwise be lost without a
// word. The error is an *Error: 400, 413 or 415.
func Read(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	// A request without a Content-Type is let through: it is what a bare client sends.
	if given := r.Header.Get("Content-Type"); given != "" {
		if kind, _, err := mime.ParseMediaType(given); err != nil || kind != "application/json" {
			return &Error{
				Status:  http.StatusUnsupportedMediaType,
				Message: fmt.Sprintf("the body's Content-Type is %q; send application/json", given),
			}
		}
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return readError(err, limit)
	}
	switch _, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case tooLarge(err):
		return readError(err, limit)
	}
	return &Error{Status: http.StatusBadRequest, Message: "the body has more than one JSON value; send one"}
}

func readError(err error, limit int64) error {
	switch {
	case tooLarge(err):
		return &Error{
			Status:  http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("the body is larger than %d bytes", limit),
		}
	case errors.Is(err, io.EOF):
		return &Error{Status: http.StatusBadRequest, Message: "the body is empty; send a JSON object"}
	}
	return &Error{Status: http.StatusBadRequest, Message: "cannot read the body as JSON: " + err.Error()}
}

func tooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}
