package embedded

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// sourceHash names a version of the server: its files, and the Go that this program was
// compiled with, which is known without asking a go command.
func sourceHash(dir string) (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, runtime.Version(), runtime.GOARCH)
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, path := range append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%s %d\n%s", filepath.Base(path), len(data), data)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}
