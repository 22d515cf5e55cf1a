package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pkg/sftp"
)

// Copied says what CopyDir did. Without Changed the server had it all already.
type Copied struct {
	Files   int
	Bytes   int64
	Changed bool
}

// CopyDir makes remoteDir hold exactly the regular files of files, with their permission
// bits, by SFTP. remoteDir is absolute, or below the user's home ("~/app/dev").
//
// remoteDir becomes a symbolic link to a directory beside it, which is complete before the
// link is moved to it in one step: whoever reads sees the old files or the new ones, and a
// copy that is cut short leaves the old ones. What is no longer among the files goes with
// the old directory. A directory that this did not make is refused unless it is empty.
// Two copies to one remoteDir at a time are for the caller to prevent.
func (c *Client) CopyDir(ctx context.Context, files fs.FS, remoteDir string) (Copied, error) {
	fail := func(err error) (Copied, error) {
		if ctx.Err() != nil {
			err = ctx.Err() // what failed did so because the session was ended
		}
		return Copied{}, fmt.Errorf("copying files to %s on %s: %w", remoteDir, c, err)
	}
	list, err := listFiles(files)
	if err != nil {
		return fail(err)
	}
	target := path.Clean(strings.TrimPrefix(remoteDir, "~/"))
	if base := path.Base(target); remoteDir == "" || base == "." || base == ".." || base == "/" || base == "~" {
		return fail(errors.New("it must name a directory of its own, such as /srv/app/dev"))
	}
	session, release, err := c.session(ctx)
	if err != nil {
		return fail(err)
	}
	defer release()
	defer session.Close() //nolint:errcheck // the client below is closed first
	stop := context.AfterFunc(ctx, func() { _ = session.Close() })
	defer stop()
	in, err := session.StdinPipe()
	if err != nil {
		return fail(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	var client *sftp.Client
	if err = session.RequestSubsystem("sftp"); err == nil {
		client, err = sftp.NewClientPipe(out, in)
	}
	if lost := c.gone(err); err != nil && !errors.Is(lost, ErrLost) {
		err = errors.New("the server offers no SFTP; its sshd_config needs: Subsystem sftp internal-sftp")
	} else if err != nil {
		err = lost
	}
	if err != nil {
		return fail(err)
	}
	defer client.Close() //nolint:errcheck // all that was written is confirmed before
	copied, err := (&tree{client, files, list, target}).bring()
	if err != nil {
		return fail(c.gone(err))
	}
	return copied, nil
}

// listed is a file or directory to copy, by its slash-separated path.
type listed struct {
	path string
	info fs.FileInfo
}

// listFiles gives all directories and files, directories before what is in them.
func listFiles(files fs.FS) (list []listed, err error) {
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.IsDir() && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a directory, and is not copied; leave it out", name)
		}
		list = append(list, listed{name, info})
		return nil
	})
	return list, err
}

// tree is one copy under way.
type tree struct {
	*sftp.Client
	files  fs.FS
	list   []listed
	target string
}

// mark is in the names of the directories that links of ours lead to, after the link's name.
const mark = ".slipway-"

func (t *tree) prefix() string { return "." + path.Base(t.target) + mark }

func (t *tree) bring() (Copied, error) {
	current, err := t.current()
	if err != nil {
		return Copied{}, err
	}
	var copied Copied
	for _, item := range t.list {
		if !item.info.IsDir() {
			copied.Files++
			copied.Bytes += item.info.Size()
		}
	}
	if current != "" {
		same, err := t.same(path.Join(path.Dir(t.target), current))
		if err != nil || same {
			return copied, err
		}
	}
	if err := t.MkdirAll(path.Dir(t.target)); err != nil {
		return Copied{}, fmt.Errorf("making %s: %w", path.Dir(t.target), err)
	}
	// Two names in turn: the one not in use holds at most what an earlier copy left unfinished.
	next := t.prefix() + "a"
	if current == next {
		next = t.prefix() + "b"
	}
	if err := t.fill(path.Join(path.Dir(t.target), next)); err != nil {
		return Copied{}, err
	}
	if err := t.swap(next); err != nil {
		return Copied{}, err
	}
	copied.Changed = true
	if current != "" {
		if err := t.RemoveAll(path.Join(path.Dir(t.target), current)); err != nil {
			return copied, fmt.Errorf("the new files are in place, but removing the old ones in %s failed: %w", current, err)
		}
	}
	return copied, nil
}

// current is the name of the directory that target leads to, or "" where there is none yet.
func (t *tree) current() (string, error) {
	info, err := t.Lstat(t.target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("looking at %s: %w", t.target, err)
	case info.IsDir():
		entries, err := t.ReadDir(t.target)
		if err != nil {
			return "", fmt.Errorf("looking at %s: %w", t.target, err)
		}
		if len(entries) > 0 {
			return "", errors.New("it is there already, with files that slipway did not put there; move it away, or name another directory")
		}
		return "", nil
	case info.Mode()&fs.ModeSymlink == 0:
		return "", errors.New("it is there already, and is not a directory; move it away, or name another directory")
	}
	leads, err := t.ReadLink(t.target)
	if err != nil {
		return "", fmt.Errorf("looking at %s: %w", t.target, err)
	}
	if !strings.HasPrefix(leads, t.prefix()) || strings.Contains(leads, "/") {
		return "", fmt.Errorf("it is a link to %s that slipway did not make; move it away, or name another directory", leads)
	}
	return leads, nil
}
