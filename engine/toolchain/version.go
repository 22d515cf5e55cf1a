package toolchain

import (
	"fmt"
	"go/version"
	"strings"
)

// releaseName checks a version of go.mod and completes it. Since 1.21 a version of two numbers
// names the language, and its first release ends in ".0": https://go.dev/doc/toolchain#version.
func releaseName(named string) (string, error) {
	v := "go" + strings.TrimPrefix(named, "go")
	if !version.IsValid(v) {
		return "", fmt.Errorf("preparing Go: %q is not a version of Go; the `go` or `toolchain` line of go.mod has one such as 1.26.8", named)
	}
	if v == version.Lang(v) && version.Compare(v, "go1.21") >= 0 {
		v += ".0"
	}
	return strings.TrimPrefix(v, "go"), nil
}
