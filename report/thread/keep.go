// Package thread keeps one comment in a discussion up to date: never a second one, also where
// two runs write at once, or where it is not known whether a request was carried out.
package thread

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"slipway/report/comment"
	"slipway/report/retry"
)

// Note is a comment that is there.
type Note struct {
	ID   int64
	Body string
	URL  string
}

// Thread is a discussion. Its errors are sentences about what is missing.
type Thread interface {
	// Own lists the comments that carry the key's marker and are of the token's user, by ID.
	Own(ctx context.Context, key string) ([]Note, error)
	Create(ctx context.Context, body string) (Note, error)
	Update(ctx context.Context, id int64, body string) (Note, error)
	Delete(ctx context.Context, id int64) error
}

// ErrGone is of a comment that somebody has removed meanwhile.
var ErrGone = errors.New("the comment is gone")

// Action is what was done with a comment.
type Action string

// What can come of Keep. Outdated: a newer run wrote already, and its text stays.
const (
	None      Action = ""
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
	Outdated  Action = "outdated"
)

// Text is what the comment is to say. Key tells it from other comments of slipway; Run is the
// run's number, which grows from run to run, 0 where unknown.
type Text struct {
	Key      string
	Run      int64
	Markdown string
	// Amends: it only replaces what an earlier run wrote, and is not worth a comment of its own.
	Amends bool
}

// Outcome is what was done, or in a sentence why nothing was. It never is a reason to fail.
type Outcome struct {
	Where   string // "merge request !5 of group/project"
	Action  Action
	URL     string
	Warning string
}

const maxRounds = 5

// Keep writes the text: into the comment that is there, else into a new one.
func Keep(ctx context.Context, t Thread, text Text, p retry.Policy) (Outcome, error) {
	ctx, cancel := p.Bound(ctx)
	defer cancel()
	var err error
	for round := range maxRounds {
		var out Outcome
		out, err = once(ctx, t, text)
		var unsure *retry.UnsureError
		switch {
		case err == nil:
			return out, nil
		case errors.As(err, &unsure):
			if p.Wait(ctx, unsure.After) != nil {
				return Outcome{}, err
			}
		case errors.Is(err, ErrGone):
			if p.Wait(ctx, retry.Backoff(round)) != nil {
				return Outcome{}, err
			}
		default:
			return Outcome{}, err
		}
	}
	return Outcome{}, fmt.Errorf("%w (tried %d times)", err, maxRounds)
}

func once(ctx context.Context, t Thread, text Text) (Outcome, error) {
	body := comment.Marked(text.Key, text.Run, text.Markdown)
	notes, err := t.Own(ctx, text.Key)
	if err != nil {
		return Outcome{}, err
	}
	if len(notes) > 0 {
		return settle(ctx, t, text, body, notes, Updated)
	}
	if text.Amends {
		return Outcome{Action: None}, nil
	}
	made, err := t.Create(ctx, body)
	if err != nil {
		return Outcome{}, err
	}
	// Another run may have made one in the same moment. Its look and ours may each come before
	// the service lists what the other made, but never both.
	if notes, err = t.Own(ctx, text.Key); err != nil {
		return Outcome{Action: Created, URL: made.URL}, nil //nolint:nilerr // it is written; the next run will look
	}
	if !slices.ContainsFunc(notes, func(n Note) bool { return n.ID == made.ID }) {
		notes = append(notes, made)
		slices.SortFunc(notes, func(a, b Note) int { return cmp.Compare(a.ID, b.ID) })
	}
	return settle(ctx, t, text, body, notes, Created)
}

// settle leaves the oldest comment, with the newest run's text. Every run that sees several
// does the same, so they agree without knowing of each other.
func settle(ctx context.Context, t Thread, text Text, body string, notes []Note, did Action) (Outcome, error) {
	newest := text.Run
	out := Outcome{Action: did, URL: notes[0].URL}
	for _, n := range notes {
		if r := comment.Run(n.Body); text.Run > 0 && r > newest {
			newest, body, out.Action = r, n.Body, Outdated
		}
	}
	if same(notes[0].Body, body) {
		if did == Updated && out.Action != Outdated {
			out.Action = Unchanged
		}
	} else {
		n, err := t.Update(ctx, notes[0].ID, body)
		if err != nil {
			return Outcome{}, err
		}
		out.URL = n.URL
	}
	for _, n := range notes[1:] {
		if err := t.Delete(ctx, n.ID); err != nil && !errors.Is(err, ErrGone) {
			return out, fmt.Errorf("removing a second comment: %w", err)
		}
	}
	return out, nil
}
