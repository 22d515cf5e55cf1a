package ssh

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// fill makes dir anew with all files.
func (t *tree) fill(dir string) error {
	if err := t.RemoveAll(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing what an earlier copy left in %s: %w", dir, err)
	}
	if err := t.Mkdir(dir); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	if err := t.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	for _, item := range t.list {
		remote := path.Join(dir, item.path)
		var err error
		if item.info.IsDir() {
			err = t.Mkdir(remote)
		} else {
			err = t.put(item.path, remote)
		}
		if err == nil {
			err = t.Chmod(remote, mode(item.info))
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", item.path, err)
		}
	}
	return nil
}

// mode keeps a directory writable for its owner, who is to replace it one day.
func mode(info fs.FileInfo) fs.FileMode {
	if info.IsDir() {
		return info.Mode().Perm() | 0o700
	}
	return info.Mode().Perm()
}

func (t *tree) put(name, remote string) (err error) {
	source, err := t.files.Open(name)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // read only
	file, err := t.OpenFile(remote, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// Nobody else reads it until it has its own mode, which may be 0600 for a reason.
	if err := file.Chmod(0o600); err != nil {
		return err
	}
	if _, err := io.Copy(file, source); err != nil {
		return err
	}
	if _, can := t.HasExtension("fsync@openssh.com"); can {
		return file.Sync()
	}
	return nil
}

// swap makes target a link to next in one step, whatever link it was.
func (t *tree) swap(next string) error {
	link := path.Join(path.Dir(t.target), t.prefix()+"link")
	if err := t.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing what an earlier copy left: %w", err)
	}
	if err := t.Symlink(next, link); err != nil {
		return fmt.Errorf("linking to the new files: %w", err)
	}
	if info, err := t.Lstat(t.target); err == nil && info.IsDir() {
		if err := t.RemoveDirectory(t.target); err != nil { // empty: see current
			return fmt.Errorf("replacing the empty directory: %w", err)
		}
	}
	if err := t.PosixRename(link, t.target); err != nil {
		return fmt.Errorf("putting the new files in place: %w", err)
	}
	return nil
}
