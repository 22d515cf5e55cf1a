package pipeline

import (
	"strings"
	"testing"
)

func TestValidateName(t *testing.T) {
	const grammar = ": a name has lower-case letters and digits, with single dots, dashes and underscores between them"
	for name, want := range map[string]string{
		"ping": "", "a": "", "web-1": "", "my_service": "", "v2.api": "", strings.Repeat("a", 63): "",
		"":                      "a service's name is missing: write it after the target, as in `mage build:service ping`",
		"-json":                 `"-json" is a flag where a service's name belongs: names come first, flags after them`,
		"..":                    `".." is no service's name` + grammar,
		"../ping":               `"../ping" is no service's name` + grammar,
		"Ping":                  `"Ping" is no service's name` + grammar,
		"two words":             `"two words" is no service's name` + grammar,
		"ping/":                 `"ping/" is no service's name` + grammar,
		"ping\n":                `"ping\n" is no service's name` + grammar,
		"ping-":                 `"ping-" is no service's name` + grammar,
		".git":                  `".git" is no service's name` + grammar,
		"пинг":                  `"пинг" is no service's name` + grammar,
		"ping;ls":               `"ping;ls" is no service's name` + grammar,
		"$(ls)":                 `"$(ls)" is no service's name` + grammar,
		"ping:1":                `"ping:1" is no service's name` + grammar,
		"ping,other":            `"ping,other" is no service's name` + grammar,
		strings.Repeat("a", 64): `"` + strings.Repeat("a", 64) + `" is no service's name: 64 characters, at most 63 are allowed`,
	} {
		says(t, ValidateName(name), want)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"backend", "frontend", "ping", "pong", "payments"}
	for name, want := range map[string]string{
		"pign":        "ping",
		"pin":         "ping pong",
		"backend2":    "backend",
		"back":        "backend",
		"fontend":     "frontend",
		"pay":         "payments",
		"kubernetes":  "",
		"ping-worker": "ping",
	} {
		if got := strings.Join(Nearest(name, known), " "); got != want {
			t.Errorf("nearest to %q: %q, want %q", name, got, want)
		}
	}
}
