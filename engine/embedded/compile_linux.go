package embedded

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"slipway/progress"
)

// poll is how often a lock or a socket is looked at while waiting for it.
const poll = 20 * time.Millisecond

// compile returns the path and the version of the compiled server, and compiles it unless
// that version is there; then no other process is started.
func compile(ctx context.Context, bin, source string, report progress.Reporter) (path, version string, err error) {
	version, err = sourceHash(source)
	if err != nil {
		return "", "", fmt.Errorf("reading the source of the embedded engine: %w", err)
	}
	path = filepath.Join(bin, "buildkitd-"+version)
	if isProgram(path) {
		return path, version, nil
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", "", explain(fmt.Errorf("making a directory for the embedded engine: %w", err), bin)
	}
	lock := flock.New(filepath.Join(bin, "compile.lock"))
	task := report.Start("compiling the embedded engine, once for this version")
	defer func() { task.Done(err) }()
	if _, err := lock.TryLockContext(ctx, poll); err != nil {
		return "", "", fmt.Errorf("waiting for another command that compiles the embedded engine: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if isProgram(path) { // the other command did it
		return path, version, nil
	}
	if err := build(ctx, path, source, task); err != nil {
		return "", "", explain(fmt.Errorf("compiling the embedded engine in %s: %w", source, err), bin)
	}
	removeOld(bin, path)
	return path, version, nil
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o100 != 0
}

// build runs the go command and puts its result in place at once.
func build(ctx context.Context, path, source string, task progress.Task) error {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("there is no go command on PATH; install Go (https://go.dev/dl), or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit")
	}
	var total int64
	var modules int64
	var list bytes.Buffer
	err := runGo(ctx, source, &list, func(line string) bool {
		if strings.HasPrefix(line, "go: downloading ") {
			modules++
			task.Amount("modules", modules, 0)
			return true
		}
		return false
	}, "list", "-mod=readonly", "-deps", ".")
	if err != nil {
		return err
	}
	total = int64(bytes.Count(list.Bytes(), []byte("\n")))

	tmp := path + ".tmp" // under compile.lock
	defer func() { _ = os.Remove(tmp) }()
	var compiled int64
	// The flags that decide how a package is compiled stay the caller's own: what the
	// client has compiled already is then taken from Go's cache.
	err = runGo(ctx, source, io.Discard, func(line string) bool {
		if strings.ContainsAny(line, " :") {
			return false
		}
		compiled++
		task.Amount("packages", compiled, total)
		return true
	}, "build", "-mod=readonly", "-v", "-ldflags=-s -w", "-o", tmp, ".")
	if err != nil {
		return err
	}
	return install(tmp, path)
}

// install makes sure that the program is on disk whole before it has its name.
func install(tmp, path string) error {
	f, err := os.Open(tmp)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// runGo runs the go command in dir. Each line of its stderr goes to progress, and those
// that it does not know are the error's text if the command fails.
func runGo(ctx context.Context, dir string, stdout io.Writer, progress func(line string) bool, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GO111MODULE=on", "PWD="+dir)
	cmd.Stdout = stdout
	// Its compilers are children of its own: all go together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	read, write := io.Pipe()
	cmd.Stderr = write
	said := make(chan []string)
	go func() {
		var lines []string
		scan := bufio.NewScanner(read)
		for scan.Scan() {
			if line := scan.Text(); !progress(line) {
				lines = append(lines, line)
			}
		}
		_, _ = io.Copy(io.Discard, read) // a line too long for the scanner must not block the command
		said <- lines
	}()
	err := cmd.Run()
	_ = write.Close()
	lines := <-said
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, indent(lastLines(lines, 20)))
	}
	return nil
}

// removeOld removes servers of other versions that were compiled more than a month ago.
func removeOld(bin, keep string) {
	found, _ := filepath.Glob(filepath.Join(bin, "buildkitd-*"))
	for _, path := range found {
		info, err := os.Stat(path)
		if err == nil && path != keep && time.Since(info.ModTime()) > 30*24*time.Hour {
			_ = os.Remove(path) // a running one goes on without its file
		}
	}
}
