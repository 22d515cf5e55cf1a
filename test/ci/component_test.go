package ci

import (
	"fmt"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"slipway/pipeline/event"
	"slipway/test/gitrepo"
)

// Another repository, which has nothing of slipway's, uses the component and the reusable
// workflow.
func TestAnotherRepositoryUsesTheComponent(t *testing.T) {
	slipway := gitrepo.New(t)
	withMage(t, slipway)
	gitlabFiles(t, slipway)
	slipway.Commit("Be slipway", gitrepo.Epoch)
	host := serve(t, map[string]*gitrepo.Repo{"acme/slipway": slipway})

	shop := sample(t)
	shop.Write(".gitlab-ci.yml", fmt.Sprintf(`include:
  - component: %s/acme/slipway/slipway@main
    inputs: {source: "http://%s/acme/slipway.git"}
`, host, host))
	shop.Git("remote", "add", "origin", "http://"+host+"/acme/shop.git")
	shop.Commit("Start", gitrepo.Epoch)
	b := &bed{repo: shop, env: environ(t)}

	request := row{kind: event.MergeRequest, branch: "feature", labels: "tests"}
	b.succeeds(t, request, "check", "check", "-event=merge -labels=tests -branch=feature -only=check")
	b.reports(t, "check")
	if _, err := os.Stat(filepath.Join(shop.Dir, "build", ".slipway", "magefiles")); err != nil {
		t.Errorf("slipway was not cloned for the job: %v", err)
	}
	if status := shop.Git("status", "--porcelain"); status != "" {
		t.Errorf("the job has left in the repository:\n%s", status)
	}

	// GitHub's workflow checks slipway out to the same place.
	var w struct {
		On struct {
			Call struct {
				Inputs map[string]struct{ Default string } `yaml:"inputs"`
			} `yaml:"workflow_call"`
		} `yaml:"on"`
	}
	must(t, yaml.Unmarshal([]byte(read(t, home, ".github", "workflows", "slipway-reusable.yml")), &w))
	b.line(t, w.On.Call.Inputs["mage"].Default, "check", row{kind: event.Push, branch: "main"}, "check")
}

// serve serves repositories over HTTP, as a GitLab does, and gives the host.
func serve(t testing.TB, repos map[string]*gitrepo.Repo) (host string) {
	t.Helper()
	root := t.TempDir()
	for name, r := range repos {
		r.Git("clone", "-q", "--bare", r.Dir, filepath.Join(root, name+".git"))
	}
	path, err := exec.Command("git", "--exec-path").Output()
	must(t, err)
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", "GIT_CONFIG_KEY_1=uploadpack.allowFilter", "GIT_CONFIG_VALUE_1=true"},
	})
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}
