package ci

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// workflow is what these tests read of a workflow.
type workflow struct {
	Jobs map[string]struct {
		If    string `yaml:"if"`
		Needs string `yaml:"needs"`
		Env   map[string]string
		Steps []struct {
			Run string `yaml:"run"`
		}
		Uses string         `yaml:"uses"`
		With map[string]any `yaml:"with"`
	}
}

func readWorkflow(t testing.TB, name string) (w workflow) {
	t.Helper()
	must(t, yaml.Unmarshal([]byte(read(t, home, ".github", "workflows", name)), &w))
	return w
}

func TestWorkflowsPassActionlint(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(home, ".github", "workflows", "*.yml"))
	must(t, err)
	if len(files) != 2 {
		t.Fatalf("the workflows are %q", files)
	}
	args := []string{"tool", "-modfile=" + filepath.Join(home, "tools", "actionlint.mod"), "actionlint", "-no-color", "-shellcheck=", "-pyflakes="}
	lint := func(files ...string) (string, int) {
		cmd := exec.Command("go", append(args, files...)...)
		cmd.Dir = home
		_, all, code := run(t, cmd)
		return all, code
	}
	if said, code := lint(files...); code != 0 {
		t.Errorf("actionlint: exit code %d\n%s", code, said)
	}
	broken := filepath.Join(t.TempDir(), "broken.yml")
	write(t, broken, strings.Replace(read(t, files[0]), "github.event_name", "github.event_kind", 1))
	if said, code := lint(broken); code == 0 || !strings.Contains(said, "event_kind") {
		t.Errorf("actionlint does not see a broken expression: exit code %d\n%s", code, said)
	}
}

func TestGitHubsWorkflowFollowsTheTable(t *testing.T) {
	w := readWorkflow(t, "slipway-reusable.yml")
	type question struct {
		Expr     string         `json:"expr"`
		Contexts map[string]any `json:"contexts"`
	}
	var questions []question
	for _, r := range table {
		_, context := r.github()
		for _, j := range jobs {
			questions = append(questions, question{w.Jobs[j.name].If, map[string]any{"github": context}})
		}
	}
	data, err := json.Marshal(questions)
	must(t, err)
	modules := npm(t)
	cmd := exec.Command(filepath.Join(modules, ".bin", "node"), filepath.Join(home, "test", "ci", "testdata", "evaluate.mjs"), filepath.Join(modules, "@actions", "expressions"))
	cmd.Stdin = strings.NewReader(string(data))
	stdout, all, code := run(t, cmd)
	if code != 0 {
		t.Fatalf("evaluating the conditions of jobs: exit code %d\n%s", code, all)
	}
	var answers []bool
	must(t, json.Unmarshal([]byte(stdout), &answers))
	for i, r := range table {
		run := map[string]bool{"": true}
		for k, j := range jobs {
			run[j.name] = answers[i*len(jobs)+k] && run[w.Jobs[j.name].Needs] // a skipped job skips those that need it
			want := j.want(r) == runs || j.want(r) == refused
			if run[j.name] != want {
				t.Errorf("%s: %s runs: %t, want %t", r, j.name, run[j.name], want)
			}
		}
	}
}
