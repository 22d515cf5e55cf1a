// Package notes is the backend's resource: short texts, kept in PostgreSQL.
package notes

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"services/shared/jsonhttp"
)

// Limits of a note, in characters.
const (
	maxTitle = 200
	maxBody  = 10_000
)

// Note is one note as it is stored and answered.
type Note struct {
	ID        int64     `json:"id"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
}

// Draft is what a client sends to create a note.
type Draft struct {
	Title string `json:"title"`
	Body  string `json:"body"`
}

// cleaned gives the draft as it may be stored, or a 422 that says what to change.
func (d Draft) cleaned() (Draft, error) {
	d.Title = strings.TrimSpace(d.Title)
	switch {
	case d.Title == "":
		return Draft{}, invalid("title is empty; a note needs one")
	case utf8.RuneCountInString(d.Title) > maxTitle:
		return Draft{}, invalid(fmt.Sprintf("title is longer than %d characters", maxTitle))
	case utf8.RuneCountInString(d.Body) > maxBody:
		return Draft{}, invalid(fmt.Sprintf("body is longer than %d characters", maxBody))
	case strings.ContainsRune(d.Title+d.Body, 0):
		// PostgreSQL's text cannot hold it, though JSON can.
		return Draft{}, invalid("title and body cannot hold the character U+0000")
	}
	return d, nil
}

func invalid(message string) error {
	return &jsonhttp.Error{Status: http.StatusUnprocessableEntity, Message: message}
}
