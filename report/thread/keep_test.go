package thread

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/report/comment"
	"slipway/report/retry"
)

// memory is a discussion. Before each request it takes the next error of fail, if there is any.
type memory struct {
	notes  []Note
	last   int64
	asked  []string
	fail   map[string]error
	lost   bool   // the answer to the next Create
	during func() // once, right before the next Create is carried out
}

func (m *memory) ask(what string) error {
	m.asked = append(m.asked, what)
	err := m.fail[what]
	delete(m.fail, what)
	return err
}

func (m *memory) Own(_ context.Context, key string) (out []Note, err error) {
	for _, n := range m.notes {
		if comment.IsMarked(n.Body, key) {
			out = append(out, n)
		}
	}
	return out, m.ask("list")
}

func (m *memory) Create(_ context.Context, body string) (Note, error) {
	if f := m.during; f != nil {
		m.during = nil
		f()
	}
	if err := m.ask("create"); err != nil {
		return Note{}, err
	}
	m.last++
	n := Note{ID: m.last, Body: body, URL: fmt.Sprint("#", m.last)}
	m.notes = append(m.notes, n)
	if m.lost {
		m.lost = false
		return Note{}, &retry.UnsureError{Cause: "the connection broke", After: time.Second}
	}
	return n, nil
}

func (m *memory) Update(_ context.Context, id int64, body string) (Note, error) {
	if err := m.ask("update"); err != nil {
		return Note{}, err
	}
	i := slices.IndexFunc(m.notes, func(n Note) bool { return n.ID == id })
	if i < 0 {
		return Note{}, ErrGone
	}
	m.notes[i].Body = body
	return m.notes[i], nil
}

func (m *memory) Delete(_ context.Context, id int64) error {
	m.notes = slices.DeleteFunc(m.notes, func(n Note) bool { return n.ID == id })
	return m.ask("delete")
}

// add is what another run wrote.
func (m *memory) add(run int64, text string) {
	m.last++
	m.notes = append(m.notes, Note{ID: m.last, Body: comment.Marked("images", run, text)})
}

// instant pauses no longer than it takes to say so.
var instant = retry.Policy{Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}

func TestKeep(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*memory)
		text   Text // Key and Markdown are set
		action Action
		left   string // what the only comment says, "" for none
		asked  string
		err    string
	}{
		"the first":           {text: Text{Run: 5}, action: Created, left: "new", asked: "list create list"},
		"a newer one":         {before: func(m *memory) { m.add(4, "old") }, text: Text{Run: 5}, action: Updated, left: "new", asked: "list update"},
		"the same again":      {before: func(m *memory) { m.add(5, "new\r\n") }, text: Text{Run: 5}, action: Unchanged, left: "new\r\n", asked: "list"},
		"an older one":        {before: func(m *memory) { m.add(6, "newest") }, text: Text{Run: 5}, action: Outdated, left: "newest", asked: "list"},
		"without a number":    {before: func(m *memory) { m.add(6, "old") }, text: Text{}, action: Updated, left: "new", asked: "list update"},
		"several":             {before: func(m *memory) { m.add(3, "a"); m.add(4, "b") }, text: Text{Run: 5}, action: Updated, left: "new", asked: "list update delete"},
		"several, one newer":  {before: func(m *memory) { m.add(3, "a"); m.add(6, "newest") }, text: Text{Run: 5}, action: Outdated, left: "newest", asked: "list update delete"},
		"amends nothing":      {text: Text{Run: 5, Amends: true}, action: None, asked: "list"},
		"amends":              {before: func(m *memory) { m.add(4, "old") }, text: Text{Run: 5, Amends: true}, action: Updated, left: "new", asked: "list update"},
		"another run at once": {before: func(m *memory) { m.during = func() { m.add(6, "newest") } }, text: Text{Run: 5}, action: Outdated, left: "newest", asked: "list create list delete"},
		"the answer is lost":  {before: func(m *memory) { m.lost = true }, text: Text{Run: 5}, action: Unchanged, left: "new", asked: "list create list"},
		"removed meanwhile": {
			before: func(m *memory) { m.add(4, "old"); m.fail = map[string]error{"update": ErrGone} },
			text:   Text{Run: 5}, action: Updated, left: "new", asked: "list update list update",
		},
		"refused": {before: func(m *memory) { m.fail = map[string]error{"create": errors.New("it may not")} }, text: Text{Run: 5}, asked: "list create", err: "it may not"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &memory{}
			if c.before != nil {
				c.before(m)
			}
			c.text.Key, c.text.Markdown = "images", "new"
			out, err := Keep(t.Context(), m, c.text, instant)
			if out.Action != c.action || strings.Join(m.asked, " ") != c.asked {
				t.Errorf("%q by %q, want %q by %q", out.Action, m.asked, c.action, c.asked)
			}
			if (err != nil || c.err != "") && (err == nil || err.Error() != c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			var said []string
			for _, n := range m.notes {
				_, text, _ := strings.Cut(n.Body, "\n\n")
				said = append(said, text)
			}
			if strings.Join(said, ", ") != c.left {
				t.Errorf("the comments say %q, want %q", said, c.left)
			}
		})
	}
}

// TestKeepGivesUp: one that is always gone, or never known to be written, has an end.
func TestKeepGivesUp(t *testing.T) {
	m := &always{}
	if _, err := Keep(t.Context(), m, Text{Key: "images", Markdown: "new"}, instant); err == nil || !strings.Contains(err.Error(), "tried 5 times") || m.n != 5 {
		t.Errorf("after %d tries: %v", m.n, err)
	}
}

type always struct {
	memory
	n int
}

func (a *always) Create(context.Context, string) (Note, error) {
	a.n++
	return Note{}, &retry.UnsureError{Cause: "502 Bad Gateway"}
}
