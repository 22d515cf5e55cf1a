package embedded

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// explain adds what to do where an error comes from a full disk. Some of the programs that
// met it said so only in words, and one whose log is on that disk could not even say it.
func explain(err error, dir string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.ENOSPC) || strings.Contains(err.Error(), "no space left on device") || full(dir) {
		return fmt.Errorf("%w\nThe disk is full (or out of inodes): free some space on that of %s, or of Go's cache (go env GOCACHE), or use another cache directory", err, dir)
	}
	return err
}

// full says whether nothing can be written below dir.
func full(dir string) bool {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return false
	}
	const little = 256 << 10 // bytes; the server's databases begin with about as much
	return st.Bavail*uint64(st.Bsize) < little || st.Files > 0 && st.Ffree == 0
}

func lastLines(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }
