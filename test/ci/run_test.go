package ci

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/client"
	"go.yaml.in/yaml/v4"

	"slipway/pipeline/event"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
)

// bed is the sample repository with a branch feature, a registry, and a Swarm to deploy to.
type bed struct {
	repo   *gitrepo.Repo
	images *registry.Registry
	docker *dockerd.Daemon
	env    []string
	tag    string
}

func newBed(t testing.TB) *bed {
	t.Helper()
	b := &bed{repo: sample(t), images: registry.Start(t, registry.Options{})}
	withMage(t, b.repo)
	gitlabFiles(t, b.repo)
	b.repo.Git("remote", "add", "origin", "git@gitlab.example.com:acme/shop.git")
	b.repo.Commit("Start", gitrepo.Epoch)
	b.tag = "20240725_" + b.repo.Head()[:8]
	b.docker = dockerd.Start(t, dockerd.Options{InsecureRegistries: []string{b.images.Host}})
	_, err := b.docker.Client.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"})
	must(t, err)
	b.env = environ(t, "REGISTRY="+b.images.Host, "SERVER_HOST=local", "DOCKER_HOST="+b.docker.Host)
	return b
}

// record is what these tests read of build/ci.json.
type record struct {
	Event    event.Event    `json:"event"`
	Decision event.Decision `json:"decision"`
	Results  []struct {
		Part     event.Part `json:"part"`
		Env      string     `json:"env"`
		Services []struct {
			Service, Tag, Digest string
		} `json:"services"`
		OK bool `json:"ok"`
	} `json:"results"`
	OK     bool   `json:"ok"`
	Exit   int    `json:"exit"`
	Error  string `json:"error"`
	Repeat string `json:"repeat"`
}

func (b *bed) record(t testing.TB) (r record) {
	t.Helper()
	must(t, json.Unmarshal([]byte(read(t, b.repo.Dir, "build", "ci.json")), &r))
	return r
}

// did are the parts that were done, in their order.
func (r record) did() string {
	var parts []string
	for _, p := range r.Results {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s", p.Part, p.Env)))
	}
	return strings.Join(parts, ", ")
}

func (b *bed) pushed(t testing.TB) bool {
	t.Helper()
	ref, err := name.ParseReference(b.images.Host+"/ping:"+b.tag, name.Insecure)
	must(t, err)
	_, err = remote.Head(ref, remote.WithContext(t.Context()))
	return err == nil
}

func (b *bed) deployed(t testing.TB) []string {
	t.Helper()
	list, err := b.docker.Client.ServiceList(t.Context(), client.ServiceListOptions{})
	must(t, err)
	var names []string
	for _, s := range list.Items {
		names = append(names, s.Spec.Name)
	}
	slices.Sort(names)
	return names
}

// job runs one of GitLab's jobs, or with "" the pipeline that the event makes.
func (b *bed) job(t testing.TB, r row, job string) (all string, code int) {
	t.Helper()
	vars := r.gitlab()
	for _, v := range b.env { // a project's own variables win over the file's
		if k, v, _ := strings.Cut(v, "="); k == "SLIPWAY_ENGINE" || k == "GOCACHE" || k == "GOMODCACHE" {
			vars[k] = v
		}
	}
	vars["GITLAB_CI"] = "true"
	args := []string{"--force-shell-executor"}
	if job != "" {
		args = append(args, job)
	}
	_, all, code = gitlab(t, b.repo.Dir, b.env, vars, args...)
	return all, code
}

// The jobs of GitLab's file, and the lines of GitHub's, run one after the other as they would
// for a merge request, and then for its merge.
func TestTheJobsRunForReal(t *testing.T) {
	b := newBed(t)
	request := row{kind: event.MergeRequest, branch: "feature"}

	request.labels = "tests"
	b.succeeds(t, request, "check", "check", "-event=merge -labels=tests -branch=feature -only=check")
	b.reports(t, "check")
	if b.pushed(t) {
		t.Error("a check has pushed an image")
	}

	request.labels = "build-ping,dev-deploy"
	b.succeeds(t, request, "images", "images", "-event=merge -labels=build-ping,dev-deploy -branch=feature -only=images")
	if !b.pushed(t) {
		t.Errorf("%s/ping:%s was not pushed", b.images.Host, b.tag)
	}
	b.succeeds(t, request, "dev-deploy", "deploy dev", "-event=merge -labels=build-ping,dev-deploy -branch=feature -only=deploy -env=dev")
	b.reports(t, "dev-deploy")
	if got := read(t, b.repo.Dir, "build", "reports", "dev.plan.json"); got != `{"create":2,"update":0,"delete":0}`+"\n" {
		t.Errorf("the plan's report is %s", got)
	}
	if got := b.deployed(t); !slices.Equal(got, []string{"shop_dev_ping"}) {
		t.Errorf("on the Swarm are %q", got)
	}

	request.labels = "prod-deploy"
	said, code := b.job(t, request, "prod-deploy")
	if code == 0 || !strings.Contains(said, "the label prod-deploy is refused: prod is deployed from main only, and this is the branch feature") {
		t.Errorf("prod-deploy from a branch: exit code %d\n%s", code, said)
	}
	if r := b.record(t); r.OK || r.Exit != 2 || r.did() != "" {
		t.Errorf("build/ci.json of a refusal is %+v", r)
	}
	request.labels = "tests,build-pong"
	if said, code = b.job(t, request, "check"); code == 0 || !strings.Contains(said, "did you mean build-ping?") {
		t.Errorf("a label for an unknown service: exit code %d\n%s", code, said)
	}

	// No job is named: those run that the rules let run.
	said, code = b.job(t, row{kind: event.Push, branch: "main"}, "")
	if code != 0 {
		t.Fatalf("the pipeline of a merge to main: exit code %d\n%s", code, said)
	}
	if got := b.deployed(t); !slices.Equal(got, []string{"shop_dev_ping", "shop_prod_ping"}) {
		t.Errorf("after the merge, on the Swarm are %q\n%s", got, said)
	}
	for _, job := range []string{"check", "images", "prod-deploy"} {
		if !strings.Contains(said, "PASS  "+job) {
			t.Errorf("%s did not run in the pipeline of a merge to main:\n%s", job, said)
		}
	}

	b.githubsLines(t)
}

// succeeds runs a job and wants it to have done these parts, and to end with the line that
// repeats it.
func (b *bed) succeeds(t testing.TB, r row, job, did, repeat string) {
	t.Helper()
	said, code := b.job(t, r, job)
	if code != 0 {
		t.Fatalf("%s, %s: exit code %d\n%s", r, job, code, said)
	}
	rec := b.record(t)
	if !rec.OK || rec.did() != did || rec.Repeat != "go tool mage ci:repro "+b.repo.Head()+" "+repeat {
		t.Errorf("%s, %s: build/ci.json is %+v", r, job, rec)
	}
	if !strings.Contains(said, "slipway: to repeat this: "+rec.Repeat) {
		t.Errorf("%s, %s does not say how to repeat it:\n%s", r, job, said)
	}
}

// reports wants a file in its format for each report that GitLab is to collect of a job.
func (b *bed) reports(t testing.TB, job string) {
	t.Helper()
	var file map[string]struct {
		Artifacts struct {
			Reports map[string]any `yaml:"reports"`
		} `yaml:"artifacts"`
	}
	_, jobs, ok := strings.Cut(read(t, home, "templates", "slipway.yml"), "\n---\n")
	if !ok {
		t.Fatal("templates/slipway.yml has no spec")
	}
	must(t, yaml.Unmarshal([]byte(jobs), &file))
	reports := file[job].Artifacts.Reports
	if len(reports) == 0 {
		t.Fatalf("%s has no reports", job)
	}
	for _, kind := range slices.Sorted(maps.Keys(reports)) {
		pattern := fmt.Sprint(reports[kind])
		if m, ok := reports[kind].(map[string]any); ok {
			pattern = fmt.Sprint(m["path"])
		}
		found, err := filepath.Glob(filepath.Join(b.repo.Dir, pattern))
		must(t, err)
		if len(found) == 0 {
			t.Errorf("%s: no file is %s", kind, pattern)
		}
		for _, f := range found {
			var err error
			if strings.HasSuffix(f, ".xml") {
				err = xml.Unmarshal([]byte(read(t, f)), new(struct{ XMLName xml.Name }))
			} else {
				err = json.Unmarshal([]byte(read(t, f)), new(any))
			}
			if err != nil {
				t.Errorf("%s: %s: %v", kind, f, err)
			}
		}
	}
}

// githubsLines runs each line of the reusable workflow as this repository's own calls it.
func (b *bed) githubsLines(t *testing.T) {
	mage, _ := readWorkflow(t, "slipway.yml").Jobs["slipway"].With["mage"].(string)
	push, chosen := row{kind: event.Push, branch: "main"}, row{kind: event.Manual, branch: "feature", env: "dev"}
	b.line(t, mage, "check", push, "check")
	b.line(t, mage, "images", push, "images")
	b.line(t, mage, "prod-deploy", push, "deploy prod")
	b.line(t, mage, "dev-deploy", push, "")
	b.line(t, mage, "dev-deploy", chosen, "deploy dev")
}

// line runs the one line of a job of the reusable workflow, and wants these parts done.
func (b *bed) line(t *testing.T, mage, job string, on row, did string) {
	t.Helper()
	var lines []string
	for _, s := range readWorkflow(t, "slipway-reusable.yml").Jobs[job].Steps {
		if s.Run != "" {
			lines = append(lines, s.Run)
		}
	}
	if len(lines) != 1 || mage == "" {
		t.Fatalf("%s has the lines %q, and mage is %q", job, lines, mage)
	}
	vars, context := on.github()
	payload, err := json.Marshal(context["event"])
	must(t, err)
	file := filepath.Join(t.TempDir(), "event.json")
	write(t, file, string(payload))
	cmd := exec.Command("bash", "-e", "-c", strings.ReplaceAll(lines[0], "${{ inputs.mage }}", mage))
	cmd.Dir = b.repo.Dir
	cmd.Env = append(slices.Clone(b.env), "GITHUB_EVENT_PATH="+file, "GITHUB_WORKSPACE="+b.repo.Dir)
	for k, v := range vars {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	if _, said, code := run(t, cmd); code != 0 {
		t.Fatalf("%s on GitHub (%s): exit code %d\n%s", job, on, code, said)
	}
	if r := b.record(t); !r.OK || r.did() != did || r.Event.System != event.GitHub {
		t.Errorf("%s on GitHub (%s): build/ci.json is %+v", job, on, r)
	}
}
