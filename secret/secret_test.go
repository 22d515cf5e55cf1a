package secret

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "c4n4ry-v4lue"

// TestNeverShown tries every usual way to print a value, alone and inside others.
func TestNeverShown(t *testing.T) {
	type inside struct {
		Name string
		Pass Value
	}
	v := New(canary)
	s := inside{"db", v}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		for _, arg := range []any{v, &v, s, &s, []Value{v}, map[string]Value{"a": v}, any(v)} {
			fmt.Fprintf(&shown, verb+"\n", arg)
		}
	}
	fmt.Fprintln(&shown, errors.Join(fmt.Errorf("logging in with %v", v), fmt.Errorf("again: %w", fmt.Errorf("%+v", s))))
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "pass", v, "in", s)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "pass", v, "in", s)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		out, err := marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(out)
	}
	var binary bytes.Buffer
	if err := gob.NewEncoder(&binary).Encode(s); err == nil {
		shown.Write(binary.Bytes())
	}
	if strings.Contains(shown.String(), canary) || strings.Contains(shown.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the value was shown:\n%s", shown.String())
	}
	if !strings.Contains(shown.String(), `"Pass":"***"`) {
		t.Errorf("JSON does not show that there is a secret:\n%s", shown.String())
	}
	if v.Reveal() != canary || v.Empty() || !New("").Empty() {
		t.Error("the value is not what was put in")
	}
}
