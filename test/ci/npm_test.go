package ci

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/aptget"
	"slipway/test/cachedir"
)

// packages from npm: GitLab's pipelines on this machine (github.com/firecow/gitlab-ci-local,
// which needs this Node), and GitHub's own evaluator of expressions.
var packages = []string{"gitlab-ci-local@4.75.0", "node@24.9.0", "@actions/expressions@0.3.61"}

// npm gives the directory of the packages' node_modules, installed once.
func npm(t testing.TB) string {
	t.Helper()
	aptget.Need(t, "npm", "npm")
	aptget.Need(t, "rsync", "rsync")
	sum := sha256.Sum256([]byte(strings.Join(packages, " ")))
	dir, err := cachedir.Path("npm", hex.EncodeToString(sum[:6]))
	must(t, err)
	unlock, err := cachedir.Lock(t.Context(), "npm")
	must(t, err)
	defer unlock()
	modules, whole := filepath.Join(dir, "node_modules"), filepath.Join(dir, "whole")
	if _, err := os.Stat(whole); err == nil {
		return modules
	}
	cmd := exec.Command("npm", append([]string{"install", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--prefix=" + dir}, packages...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm install %s: %v\n%s", strings.Join(packages, " "), err, out)
	}
	must(t, os.WriteFile(whole, nil, 0o644))
	return modules
}

// nodePath is a PATH with the packages' commands first.
func nodePath(modules string) string {
	return filepath.Join(modules, ".bin") + string(os.PathListSeparator) + os.Getenv("PATH")
}
