package launch

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"slipway/progress"
)

// compile builds the binary, whole or not at all. Two commands that compile at once both
// do the work of the first: the second waits for the lock and finds the binary.
func compile(home, binary string) error {
	unlock, err := lock(filepath.Join(filepath.Dir(binary), ".slipway.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return nil
	}
	task := progress.Plain(os.Stderr, 3*time.Second).Start("compiling slipway, once for this version")
	err = goBuild(home, binary, task)
	task.Done(err)
	return err
}

func goBuild(home, binary string, task progress.Task) error {
	tmp := fmt.Sprintf("%s.%d.tmp", binary, os.Getpid())
	defer func() { _ = os.Remove(tmp) }()
	total := packages(home)
	cmd := exec.Command("go", "build", "-v", "-o", tmp, "./cmd/slipway")
	cmd.Dir, cmd.Stdout = home, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a killed mage leaves no compiler
	out, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("compiling slipway: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("compiling slipway: %w: is Go installed?", err)
	}
	var done int64
	var said bytes.Buffer
	for sc := bufio.NewScanner(out); sc.Scan(); {
		if line := sc.Text(); strings.Contains(line, " ") || strings.Contains(line, ":") {
			said.WriteString(line + "\n") // a download or an error, not a package's name
			continue
		}
		done++
		task.Amount("packages", done, total)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("compiling slipway in %s: %w\n%s", home, err, said.String())
	}
	return os.Rename(tmp, binary)
}

// packages counts what the binary is made of, 0 where that cannot be told.
func packages(home string) int64 {
	cmd := exec.Command("go", "list", "-deps", "./cmd/slipway")
	cmd.Dir, cmd.Stderr = home, os.Stderr // says what it downloads
	out, err := cmd.Output()
	if err != nil {
		return 0
	}
	return int64(bytes.Count(out, []byte("\n")))
}

// lock waits for the lock of a file; the kernel drops it when its holder dies.
func lock(name string) (func(), error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return func() { _ = f.Close() }, nil
}

// CompileTo compiles slipway to a file of the repository's directory.
func CompileTo(file string) error {
	home, err := Home()
	if err != nil {
		return err
	}
	binary, err := Binary(home)
	if err != nil {
		return err
	}
	to := filepath.Join(home, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("making room for %s: %w", file, err)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("reading the compiled slipway: %w", err)
	}
	if err := os.WriteFile(to+".tmp", data, 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return os.Rename(to+".tmp", to)
}
