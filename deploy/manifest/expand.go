package manifest

import (
	"regexp"
	"strings"
)

// problem is what is wrong with one ${…}.
type problem struct {
	name  string // the variable, "" where it has no proper name
	text  string // as it stands in the manifest: "${NAME}"
	wants string // the message of ${NAME:?message}
	kind  problemKind
}

type problemKind int

const (
	undefined problemKind = iota
	required              // ${NAME:?message} or ${NAME?message} without a value
	malformed
)

// expansion replaces variables as the compose specification has it ("Interpolation").
type expansion struct {
	lookup func(name string) (string, bool)
	// keep leaves what is not defined, or no variable at all, as it stands: for commands,
	// where it is usually meant for the shell in the container.
	keep     bool
	problems []problem
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	operator     = regexp.MustCompile(`^:?[-+?]`)
)

func (e *expansion) expand(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		s = s[i:]
		switch {
		case strings.HasPrefix(s, "$$"):
			b.WriteByte('$')
			s = s[2:]
		case strings.HasPrefix(s, "${"):
			end := closing(s)
			if end < 0 {
				e.problems = append(e.problems, problem{kind: malformed, text: s})
				return b.String() + s
			}
			b.WriteString(e.braced(s[:end+1]))
			s = s[end+1:]
		default:
			name := variableName.FindString(s[1:])
			text := s[:1+len(name)]
			b.WriteString(e.plain(name, text, s))
			s = s[len(text):]
		}
	}
}

// closing is the index of the brace that ends the "${" at the start of s, -1 without one.
func closing(s string) int {
	open := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

// plain is $NAME or ${NAME}; rest is what follows, for the message about a lone "$".
func (e *expansion) plain(name, text, rest string) string {
	if name == "" {
		e.problems = append(e.problems, problem{kind: malformed, text: short(rest)})
		return text
	}
	v, ok := e.lookup(name)
	if ok {
		return v
	}
	e.problems = append(e.problems, problem{kind: undefined, name: name, text: text})
	if e.keep {
		return text
	}
	return ""
}

// braced is ${NAME} with or without an operator. The word after the operator is expanded
// only where it is used.
func (e *expansion) braced(text string) string {
	inner := text[2 : len(text)-1]
	name := variableName.FindString(inner)
	op := operator.FindString(inner[len(name):])
	if name == "" || op == "" && name != inner {
		e.problems = append(e.problems, problem{kind: malformed, text: text})
		return text
	}
	if op == "" {
		return e.plain(name, text, "")
	}
	word := inner[len(name)+len(op):]
	value, set := e.lookup(name)
	if op[0] == ':' {
		set = set && value != ""
	}
	switch op[len(op)-1] {
	case '-':
		if !set {
			return e.expand(word)
		}
	case '+':
		if set {
			return e.expand(word)
		}
		return ""
	case '?':
		if !set {
			e.problems = append(e.problems, problem{kind: required, name: name, text: text, wants: e.expand(word)})
			return ""
		}
	}
	return value
}

// short cuts a text for a message, at a space at the latest after 20 characters.
func short(s string) string {
	s, _, _ = strings.Cut(s, " ")
	if r := []rune(s); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return s
}
