// Package launch starts the slipway binary from mage targets. mage compiles its targets
// on each start, silently and whole; so they import this package alone, which needs the
// standard library only, and the binary behind them is compiled here: once for each
// version of its source, with progress.
package launch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"syscall"
)

const (
	// Marker is set for a slipway that a mage target started.
	Marker = "SLIPWAY_LAUNCHED"
	// HomeVar names slipway's own source to the binary.
	HomeVar = "SLIPWAY_HOME"
)

// Slipway runs slipway with these arguments, compiling it first where that has not been
// done. Where the command line asks for nothing after this target, this process becomes
// slipway and Slipway returns only errors.
func Slipway(args ...string) error {
	more, err := moreTargets(os.Args[1:], args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "slipway:", err)
		os.Exit(2)
	}
	home, err := Home()
	if err != nil {
		return err
	}
	binary, err := Binary(home)
	if err != nil {
		return err
	}
	env := append(os.Environ(), Marker+"=1", HomeVar+"="+home)
	if more {
		cmd := exec.Command(binary, args...)
		cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
		return cmd.Run()
	}
	if err := syscall.Exec(binary, append([]string{"slipway"}, args...), env); err != nil {
		return fmt.Errorf("starting %s: %w", binary, err)
	}
	return nil
}

// taken counts the words of the command line that targets have used so far.
var taken int

// moreTargets finds this target's words in the command line and reports whether another
// target follows. mage itself would run this one before it noticed that the next word is
// none.
func moreTargets(line, target []string) (bool, error) {
	if taken+len(target) > len(line) || !isCalled(line[taken], target[0]) {
		return true, nil // called in another way, as a dependency say
	}
	taken += len(target)
	if taken == len(line) {
		return false, nil
	}
	if next := line[taken]; !strings.Contains(next, ":") {
		return false, fmt.Errorf("%q is one word too many after `%s`", next, strings.Join(target, " "))
	}
	return true, nil
}

// Home is the directory of slipway's source: $SLIPWAY_HOME, else where this file was
// compiled from.
func Home() (string, error) {
	dir := os.Getenv(HomeVar)
	if dir == "" {
		_, file, _, _ := runtime.Caller(0)
		dir = filepath.Dir(filepath.Dir(filepath.Dir(file)))
	}
	if _, err := os.Stat(filepath.Join(dir, "cmd", "slipway", "main.go")); err != nil {
		return "", fmt.Errorf("slipway's source is not in %s any more: set %s to its directory", dir, HomeVar)
	}
	return dir, nil
}

// CacheDir is where compiled binaries and the embedded engine's state are kept: $SLIPWAY_CACHE, else the user's cache
// directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("SLIPWAY_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w: set SLIPWAY_CACHE to a directory of your own", err)
	}
	return filepath.Join(dir, "slipway"), nil
}

// Binary returns the slipway binary for the source as it is now.
func Binary(home string) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	sum, err := sourceHash(home)
	if err != nil {
		return "", fmt.Errorf("reading slipway's source: %w", err)
	}
	binary := filepath.Join(cache, "bin", "slipway-"+sum[:16])
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", fmt.Errorf("making the cache directory: %w", err)
	}
	return binary, compile(home, binary)
}

// notSource are the top directories that slipway's binary is not made of.
var notSource = map[string]bool{".git": true, "build": true, "services": true, "manifests": true, "test": true, "docs": true}

// sourceHash covers every file that the binary is compiled from: dependencies are pinned
// by go.sum.
func sourceHash(home string) (string, error) {
	var files []string
	err := filepath.WalkDir(home, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(home, p)
		if err != nil {
			return err
		}
		if d.IsDir() && notSource[rel] {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() && isSource(rel) {
			files = append(files, rel)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	sort.Strings(files)
	h := sha256.New()
	_, _ = fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH, home)
	for _, f := range files {
		_, _ = fmt.Fprintln(h, f)
		if err := copyFile(h, filepath.Join(home, f)); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func isSource(rel string) bool {
	if strings.HasSuffix(rel, "_test.go") || strings.HasPrefix(rel, filepath.Join("tools", "buildkitd")) {
		return false
	}
	switch filepath.Ext(rel) {
	case ".go", ".mod", ".sum":
		return true
	}
	return false
}

func copyFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(w, f)
	return err
}

// Exit ends a mage target: with the child's own exit code where it ran, so that nothing is
// printed after what it said.
func Exit(err error) {
	if err == nil {
		return
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		os.Exit(exit.ExitCode())
	}
	fmt.Fprintln(os.Stderr, "slipway:", err)
	os.Exit(1)
}

// Line is a command line for Slipway.
type Line []string

// Args begins one with a command's name and its positionals.
func Args(words ...string) Line { return words }

// Bool adds a flag, where it was given.
func (l Line) Bool(name string, v *bool) Line {
	if v == nil {
		return l
	}
	return append(l, fmt.Sprintf("-%s=%t", name, *v))
}

// Text adds a flag with a value, where it was given.
func (l Line) Text(name string, v *string) Line {
	if v == nil {
		return l
	}
	return append(l, "-"+name+"="+*v)
}

// isCalled compares a word of the command line with a target's name; `deploy` is short for
// deploy:env.
func isCalled(word, target string) bool {
	return strings.EqualFold(word, target) || strings.EqualFold(word, strings.TrimSuffix(target, ":env"))
}
