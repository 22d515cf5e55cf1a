package environment

import "testing"

type vars = map[string]string

func TestBranch(t *testing.T) {
	for _, c := range []struct {
		name string
		all  vars
		want string
	}{
		{"a laptop", nil, "head"},
		{"GitLab, a branch", vars{"CI_COMMIT_BRANCH": "main"}, "main"},
		{"GitLab, a tag", vars{"CI_COMMIT_TAG": "v1"}, ""},
		{"GitLab, a merge request", vars{"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "7"}, "topic"},
		{"GitLab, a fork's main", vars{"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "main", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8", "CI_MERGE_REQUEST_PROJECT_ID": "7", "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "mallory/shop"}, "mallory/shop:main"},
		{"GitHub, a branch", vars{"GITHUB_REF": "refs/heads/feature/x"}, "feature/x"},
		{"GitHub, a tag", vars{"GITHUB_REF": "refs/tags/v1"}, ""},
		{"GitHub, a pull request", vars{"GITHUB_REF": "refs/pull/3/merge", "GITHUB_HEAD_REF": "topic", "GITHUB_BASE_REF": "main"}, "topic"},
		{"GitHub, a fork's main", vars{"GITHUB_REF": "refs/pull/3/merge", "GITHUB_HEAD_REF": "main", "GITHUB_BASE_REF": "main", "GITHUB_ACTOR": "mallory"}, "fork/mallory:main"},
	} {
		if got := Branch(c.all, "head"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWhoAndPipeline(t *testing.T) {
	for _, c := range []struct {
		all           vars
		who, pipeline string
	}{
		{vars{"USER": "anna"}, "anna@desk", ""},
		{vars{"LOGNAME": "anna"}, "anna@desk", ""},
		{nil, "somebody@desk", ""},
		{vars{"GITLAB_USER_LOGIN": "anna", "USER": "root", "CI_PIPELINE_URL": "https://gitlab.example.com/p/1"}, "anna", "https://gitlab.example.com/p/1"},
		{vars{"GITHUB_ACTOR": "anna", "GITHUB_RUN_ID": "5", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b"}, "anna", "https://github.com/a/b/actions/runs/5"},
	} {
		if who, pipeline := Who(c.all, "desk"), Pipeline(c.all); who != c.who || pipeline != c.pipeline {
			t.Errorf("%v: %q and %q, want %q and %q", c.all, who, pipeline, c.who, c.pipeline)
		}
	}
	if who := Who(vars{"USER": "anna"}, ""); who != "anna@unknown" {
		t.Errorf("%q", who)
	}
}
