package generate

import (
	"math"
	"strings"
	"testing"
)

func TestCharacters(t *testing.T) {
	for _, c := range []struct{ alphabet, want, err string }{
		{"0-9a-f", "0123456789abcdef", ""},
		{"a-c_a", "_abc", ""},
		{"-ab", "-ab", ""},
		{"ab-", "-ab", ""},
		{"+--", "+,-", ""},
		{"z-a", "", "the wrong way round"},
		{"aaa", "", "fewer than two characters"},
		{"", "", "fewer than two characters"},
		{"aé", "", "are allowed"},
		{"a\n", "", "are allowed"},
	} {
		got, err := Characters(c.alphabet)
		if string(got) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v; want %q, %q", c.alphabet, string(got), err, c.want, c.err)
		}
	}
	if got, err := Characters(Alphabet); err != nil || len(got) != 62 || Bits(Length, got) < WeakBits {
		t.Errorf("the default is weak: %q (%v)", string(got), err)
	}
}

// Each character comes as often as the others: with 10 of them, a draw by a byte's remainder
// would favour the first six by 4 %.
func TestValueIsEven(t *testing.T) {
	characters, err := Characters("0-9")
	if err != nil {
		t.Fatal(err)
	}
	const rounds = 300
	count, seen := map[rune]int{}, map[string]bool{}
	for range rounds {
		v, err := Value(MaxLength, characters)
		if err != nil || len(v.Reveal()) != MaxLength || seen[v.Reveal()] {
			t.Fatalf("%d characters (%v), seen before: %t", len(v.Reveal()), err, seen[v.Reveal()])
		}
		seen[v.Reveal()] = true
		for _, c := range v.Reveal() {
			count[c]++
		}
	}
	mean := float64(rounds*MaxLength) / 10
	for c, n := range count { // six standard deviations: not once in millions of runs
		if math.Abs(float64(n)-mean) > 6*math.Sqrt(mean) {
			t.Errorf("%c came %d times, want about %.0f", c, n, mean)
		}
	}
	if len(count) != 10 {
		t.Errorf("only %d characters came", len(count))
	}
	for _, n := range []int{0, -1, MaxLength + 1} {
		if _, err := Value(n, characters); err == nil {
			t.Errorf("a length of %d is not refused", n)
		}
	}
}
