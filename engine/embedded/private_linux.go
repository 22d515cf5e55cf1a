package embedded

import (
	"fmt"
	"os"
	"syscall"
)

// private checks that dir is a directory (no link) that only this user can enter.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("checking its directory: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ok || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("the directory %s for its socket is not this user's alone (%s); remove it, or set TMPDIR to a directory of your own", dir, info.Mode())
	}
	return nil
}
