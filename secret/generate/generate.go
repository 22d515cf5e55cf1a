// Package generate makes secrets at random.
package generate

import (
	"crypto/rand"
	"fmt"
	"math"
	"math/big"
	"slices"

	"slipway/secret"
)

// Defaults: about 190 bits, and nothing that has to be quoted in a shell, a URL or a
// connection string.
const (
	Length   = 32
	Alphabet = "A-Za-z0-9"
)

// MaxLength is more than anybody needs.
const MaxLength = 4096

// WeakBits is the strength below which a value can be guessed by trying (NIST SP 800-131A asks
// for 112 bits).
const WeakBits = 112

// Characters reads an alphabet: characters, and ranges of them as in A-Za-z0-9_. A dash at
// either end is a dash. Each character counts once, however often it is named.
func Characters(alphabet string) ([]rune, error) {
	in := []rune(alphabet)
	var out []rune
	for i := 0; i < len(in); i++ {
		from, to := in[i], in[i]
		if i+2 < len(in) && in[i+1] == '-' {
			to = in[i+2]
			i += 2
		}
		if from > to {
			return nil, fmt.Errorf("the range %c-%c of the alphabet is the wrong way round", from, to)
		}
		if from < ' ' || to > '~' {
			return nil, fmt.Errorf("the alphabet has %q: letters, digits and signs of ASCII are allowed", string(to))
		}
		for c := from; c <= to; c++ {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) < 2 {
		return nil, fmt.Errorf("the alphabet has fewer than two characters: write it as %s", Alphabet)
	}
	return out, nil
}

// Bits is the strength of a value of this length.
func Bits(length int, characters []rune) float64 {
	return float64(length) * math.Log2(float64(len(characters)))
}

// Value draws each character by itself, all of them equally likely.
func Value(length int, characters []rune) (secret.Value, error) {
	if length < 1 || length > MaxLength {
		return secret.Value{}, fmt.Errorf("a length of %d: write a number from 1 to %d", length, MaxLength)
	}
	bound := big.NewInt(int64(len(characters)))
	out := make([]rune, length)
	for i := range out {
		n, err := rand.Int(rand.Reader, bound) // without bias
		if err != nil {
			return secret.Value{}, fmt.Errorf("asking the system for randomness: %w", err)
		}
		out[i] = characters[n.Int64()]
	}
	return secret.New(string(out)), nil
}
