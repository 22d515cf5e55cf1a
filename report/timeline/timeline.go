// Package timeline makes a page of a recording: what ran when, on lanes, with its logs. The page
// is one file that asks for nothing else and runs no scripts.
package timeline

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"slipway/progress/recording"
)

// Limit is how large a page may become, in bytes.
const Limit = 2 << 20

//go:embed page.html
var pageText string

//go:embed page.css
var style string

var page = template.Must(template.New("page").Parse(pageText))

// Render makes the page, of at most limit bytes where dropping logs can do that: of steps that
// went well first, their oldest lines first.
func Render(r recording.Recording, limit int) ([]byte, error) {
	r = copied(r)
	left := 0 // lines that were dropped
	for {
		out, err := render(r, left)
		if err != nil || len(out) <= limit {
			return out, err
		}
		n := drop(&r, len(out)-limit)
		if n == 0 {
			return out, nil
		}
		left += n
	}
}

func render(r recording.Recording, left int) ([]byte, error) {
	v := look(r)
	v.Style = template.CSS(style) //nolint:gosec // it is the file beside this one
	if left > 0 {
		v.Left = fmt.Sprintf("This page would have been too large: %s of logs, the oldest first, are left out.", count(left, "line"))
	}
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("making the page of the timeline: %w", err)
	}
	return out.Bytes(), nil
}
