package ci

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

// gitlabFiles puts this repository's GitLab files into another.
func gitlabFiles(t testing.TB, r *gitrepo.Repo) {
	t.Helper()
	r.Write(".gitlab-ci.yml", read(t, home, ".gitlab-ci.yml"))
	r.Write("templates/slipway.yml", read(t, home, "templates", "slipway.yml"))
}

// gitlab runs gitlab-ci-local in a directory with predefined variables set as GitLab would.
func gitlab(t testing.TB, dir string, env []string, vars map[string]string, args ...string) (stdout, all string, code int) {
	t.Helper()
	modules := npm(t)
	if vars["CI_COMMIT_BRANCH"] == "" {
		args = append(args, "--unset-variable", "CI_COMMIT_BRANCH") // which it takes from git otherwise
	}
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		args = append(args, "--variable", k+"="+vars[k])
	}
	cmd := exec.Command(filepath.Join(modules, ".bin", "node"), append([]string{filepath.Join(modules, "gitlab-ci-local", "dist", "index.js")}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(env, "PATH="+nodePath(modules), "GCL_IGNORE_PREDEFINED_VARS="+strings.Join(slices.Sorted(maps.Keys(vars)), ","))
	return run(t, cmd)
}

func TestGitLabsFileFollowsTheTable(t *testing.T) {
	r := gitrepo.New(t)
	gitlabFiles(t, r)
	r.Git("remote", "add", "origin", "git@gitlab.example.com:acme/shop.git")
	r.Commit("Start", gitrepo.Epoch)
	r.Git("update-ref", "refs/remotes/origin/main", "HEAD")
	r.Git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	for _, row := range table {
		stdout, all, code := gitlab(t, r.Dir, []string{"HOME=" + t.TempDir()}, row.gitlab(), "--list-csv-all")
		if code != 0 {
			t.Fatalf("%s: gitlab-ci-local --list-csv-all: exit code %d\n%s", row, code, all)
		}
		listed := map[string]string{}
		for _, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
			if f := strings.Split(line, ";"); len(f) > 3 {
				listed[f[0]] = map[string]string{"on_success": runs, "manual": hand, "never": never}[f[2]]
				if f[2] == "manual" && f[3] != "true" {
					t.Errorf("%s: %s waits to be started, and holds up the jobs after it", row, f[0])
				}
			}
		}
		for _, j := range jobs {
			want := j.want(row)
			if want == refused {
				want = runs // and slipway refuses
			}
			if listed[j.name] != want {
				t.Errorf("%s: %s is %q, want %s\n%s", row, j.name, listed[j.name], want, stdout)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(r.Dir, "build")); err == nil {
		t.Error("listing jobs has built something")
	}
}
