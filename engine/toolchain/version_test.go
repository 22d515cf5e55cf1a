package toolchain

import (
	"strings"
	"testing"
)

func TestReleaseName(t *testing.T) {
	for named, want := range map[string]string{
		"1.26.8":   "1.26.8",
		"go1.26.8": "1.26.8", // a toolchain line
		"1.26":     "1.26.0", // a go line may name the language
		"1.20":     "1.20",   // before 1.21 that was the first release's name
		"1.27rc1":  "1.27rc1",
	} {
		if got, err := releaseName(named); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %s", named, got, err, want)
		}
	}
	for _, named := range []string{"", "1.x", "../1.26.8", "1.26.8 -x", "latest", "-1"} {
		_, err := releaseName(named)
		if err == nil || !strings.Contains(err.Error(), "line of go.mod") {
			t.Errorf("%q: got %v", named, err)
		}
	}
}
