package child

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// RemoveGroups removes the control groups of a name, of both versions, with those below them. rmdir
// removes one; that it is not there is no fault.
func RemoveGroups(name string, rmdir func(group string) error) error {
	var groups []string
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		tops, err := filepath.Glob(pattern + name)
		if err != nil {
			return err
		}
		for _, top := range tops {
			err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					groups = append(groups, path)
				}
				return err
			})
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	slices.Reverse(groups) // children first
	for _, group := range groups {
		if err := rmdir(group); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the control group %s: %w", group, err)
		}
	}
	return nil
}
