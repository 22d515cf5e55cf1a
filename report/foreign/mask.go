// Package foreign makes the text of others (logs, error messages, names) fit to be shown
// where it is not expected: without secrets, control characters and mentions. It is pure.
package foreign

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"slipway/secret"
)

const (
	masked = "***"
	// minSecret bounds what is masked: a shorter text stands in half of all words, and masking
	// it would tell more than it hides.
	minSecret = 4
	// minLine is the same for a line of a secret that has several, such as a key.
	minLine = 8
)

// Mask hides secrets in texts. Its zero value hides nothing.
type Mask struct{ words []string }

// NewMask hides these secrets, also as they look in a URL, in JSON, quoted and in base64.
func NewMask(secrets ...secret.Value) Mask {
	var m Mask
	for _, s := range secrets {
		v := s.Reveal()
		m.add(v, minSecret)
		m.add(strings.TrimSpace(v), minSecret)
		if len(v) < minSecret {
			continue
		}
		m.add(url.QueryEscape(v), minSecret)
		m.add(url.PathEscape(v), minSecret)
		m.add(strings.Trim(strconv.Quote(v), `"`), minSecret)
		m.add(base64.StdEncoding.EncodeToString([]byte(v)), minSecret)
		m.add(base64.RawURLEncoding.EncodeToString([]byte(v)), minSecret)
		for line := range strings.Lines(v) {
			m.add(strings.TrimSpace(line), minLine)
		}
	}
	return m
}

func (m *Mask) add(word string, least int) {
	if len(word) >= least && !slices.Contains(m.words, word) {
		m.words = append(m.words, word)
	}
}

// Apply replaces each secret with "***". Secrets that overlap are hidden as one: replaced one
// after the other, the end of the second would stay.
func (m Mask) Apply(s string) string {
	var hidden [][2]int
	for _, w := range m.words {
		for from := 0; ; {
			i := strings.Index(s[from:], w)
			if i < 0 {
				break
			}
			hidden = append(hidden, [2]int{from + i, from + i + len(w)})
			from += i + 1
		}
	}
	if hidden == nil {
		return s
	}
	slices.SortFunc(hidden, func(a, b [2]int) int { return a[0] - b[0] })
	var out strings.Builder
	end := 0 // of what was hidden last
	for i, h := range hidden {
		if i == 0 || h[0] > end {
			out.WriteString(s[end:h[0]])
			out.WriteString(masked)
		}
		end = max(end, h[1])
	}
	out.WriteString(s[end:])
	return out.String()
}
