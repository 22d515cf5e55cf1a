// Package secret has the type of values that must never be shown.
package secret

import "fmt"

// Value is a secret. However it is printed, marshalled or logged it shows as "***"; only
// Reveal gives what it holds.
type Value struct{ v string }

// New makes a secret.
func New(v string) Value { return Value{v} }

// Reveal returns what the secret holds, for the one place that needs it.
func (s Value) Reveal() string { return s.v }

// Empty reports whether there is nothing in it.
func (s Value) Empty() bool { return s.v == "" }

const masked = "***"

// String implements fmt.Stringer.
func (Value) String() string { return masked }

// GoString implements fmt.GoStringer, for %#v.
func (Value) GoString() string { return masked }

// MarshalText implements encoding.TextMarshaler, which JSON, XML and YAML follow.
func (Value) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Format covers every verb, %#v and %x included.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(masked)) }
