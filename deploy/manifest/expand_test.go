package manifest

import (
	"testing"

	"github.com/compose-spec/compose-go/v2/template"
)

// The library's own expansion is the oracle where nothing is missing.
func TestExpandIsTheLibrarys(t *testing.T) {
	lookup := func(name string) (string, bool) {
		v, ok := map[string]string{"A": "a", "_b1": "b", "EMPTY": "", "N": "3"}[name]
		return v, ok
	}
	for _, text := range []string{
		"", "plain", "$A", "${A}", "x${A}y$_b1-z", "$$A", "$$$A", "$$$$", "${A}${A}", "$A$A",
		"${A:-d}", "${EMPTY:-d}", "${EMPTY-d}", "${NONE:-d}", "${NONE-d}", "${NONE:-}", "${NONE-}",
		"${A:+x}", "${EMPTY:+x}", "${EMPTY+x}", "${NONE:+x}", "${NONE+x}",
		"${A:?m}", "${EMPTY?m}", "${NONE:-${A}}", "${NONE:-${NONE:-${A}}}", "${NONE:-a:b-c+d?e}", "${NONE:-$$x}",
		"${A} and ${NONE:-x}", "${NONE:-x} and ${A}", "${NONE:-x} and ${NONE-y} $A", "{${A}}", "a-${A}-${N}",
	} {
		want, err := template.Substitute(text, lookup)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		e := expansion{lookup: lookup}
		if got := e.expand(text); got != want || e.problems != nil {
			t.Errorf("%q is %q (%v), compose-go has %q", text, got, e.problems, want)
		}
	}
}

// In a command, what is no variable of the deploy stays.
func TestExpandKeeps(t *testing.T) {
	lookup := func(name string) (string, bool) { return "v", name == "V" }
	for text, want := range map[string]string{
		"$HOME ${HOME} $V":        "$HOME ${HOME} v",
		"$(date) $1 $? $@ ${#x}":  "$(date) $1 $? $@ ${#x}",
		"${HOME:-/root} ${x%.go}": "/root ${x%.go}",
		"$${V} $$V ${V":           "${V} $V ${V",
		"a$":                      "a$",
	} {
		e := expansion{lookup: lookup, keep: true}
		if got := e.expand(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	exact := "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"
	if got := shorten(exact); got != exact {
		t.Errorf("64 characters become %s", got)
	}
	a, b := shorten(exact+"1"), shorten(exact+"2")
	if len(a) != 64 || a == b || !objectNameRule.MatchString(a) || shorten(exact+"1") != a {
		t.Errorf("65 characters become %s and %s", a, b)
	}
}
