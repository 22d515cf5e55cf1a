package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// watchCommandLines reads every process's command line over and over while p runs. It
// gives all that it saw, once p has ended.
func watchCommandLines(p *process) <-chan string {
	seen := make(chan string, 1)
	go func() {
		all := map[string]bool{}
		for {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, f := range files {
				if line, err := os.ReadFile(f); err == nil { // else it has just ended
					all[string(line)] = true
				}
			}
			select {
			case <-p.Done:
				var out strings.Builder
				for line := range all {
					out.WriteString(line + "\n")
				}
				seen <- out.String()
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return seen
}

// allText is the content of every file below a directory.
func allText(t testing.TB, dir string) string {
	t.Helper()
	var out strings.Builder
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out.WriteString(read(t, p))
		}
		return err
	}))
	return out.String()
}

// engineText is what the engine has written about builds: its log and its databases.
func engineText(t testing.TB) string {
	t.Helper()
	var out strings.Builder
	entries, err := os.ReadDir(filepath.Join(cache, "buildkit"))
	must(t, err)
	for _, e := range entries {
		if e.Type().IsRegular() {
			out.WriteString(read(t, cache, "buildkit", e.Name()))
		}
	}
	if out.Len() == 0 {
		t.Fatal("the engine has written nothing: it keeps its files elsewhere")
	}
	return out.String()
}

func hostPath() string { return os.Getenv("PATH") }

func writeFile(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(content), mode))
}
