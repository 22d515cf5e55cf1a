package embedded

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// layout is where one cache directory's server keeps things.
type layout struct {
	bin  string // compiled servers
	root string // the server's state
	run  string // its socket and temporary files
}

// maxRun is the longest run directory. Linux takes socket paths of up to 107 bytes, and the
// longest below it is an agent's: /tmp/.buildkit-ssh-sock<10 digits>/ssh_auth_sock.
const maxRun = 107 - 48

func newLayout(cacheDir string) (layout, error) {
	dir, err := filepath.Abs(cacheDir)
	if err != nil {
		return layout{}, err
	}
	l := layout{bin: filepath.Join(dir, "bin"), root: filepath.Join(dir, "buildkit")}
	l.run = filepath.Join(l.root, "run")
	if len(l.run) > maxRun {
		l.run = shortRun(os.TempDir(), l.root)
	}
	if len(l.run) > maxRun {
		l.run = shortRun("/tmp", l.root)
	}
	return l, nil
}

func shortRun(tmp, root string) string {
	sum := sha256.Sum256([]byte(root))
	return filepath.Join(tmp, fmt.Sprintf("slipway-%d-%x", os.Getuid(), sum[:6]))
}

func (l layout) file(name string) string { return filepath.Join(l.root, name) }

// make makes the directories. A run directory under /tmp could have been put there by
// somebody else, so its owner and mode count.
func (l layout) make() error {
	for _, dir := range []string{l.root, l.run} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making its directory: %w", err)
		}
	}
	return private(l.run)
}
