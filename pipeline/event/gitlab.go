package event

import (
	"cmp"
	"strconv"
)

// Variables that a person sets for a run by hand: GitLab's form asks for them.
const (
	LabelsVar      = "SLIPWAY_LABELS" // labels, by commas
	EnvironmentVar = "SLIPWAY_ENV"    // to deploy to
)

// fromGitLab reads the predefined variables
// (https://docs.gitlab.com/ci/variables/predefined_variables/).
func fromGitLab(vars map[string]string) Event {
	e := Event{
		System: GitLab, Name: vars["CI_PIPELINE_SOURCE"], Labels: Split(vars["CI_MERGE_REQUEST_LABELS"] + "," + vars[LabelsVar]),
		Branch: vars["CI_COMMIT_BRANCH"], Default: vars["CI_DEFAULT_BRANCH"], Tag: vars["CI_COMMIT_TAG"], Commit: vars["CI_COMMIT_SHA"],
		ByHand: vars["CI_JOB_MANUAL"] == "true", Environment: vars[EnvironmentVar],
		Actor: vars["GITLAB_USER_LOGIN"], Link: vars["CI_PIPELINE_URL"],
	}
	switch {
	case vars["CI_MERGE_REQUEST_IID"] != "" || e.Name == "merge_request_event":
		e.Kind = MergeRequest
		e.Request, _ = strconv.Atoi(vars["CI_MERGE_REQUEST_IID"])
		e.Branch, e.Target = vars["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"], vars["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"]
		e.Base = vars["CI_MERGE_REQUEST_DIFF_BASE_SHA"]
		into := cmp.Or(vars["CI_MERGE_REQUEST_PROJECT_ID"], vars["CI_PROJECT_ID"])
		if from := vars["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"]; from != "" && from != into {
			e.Fork = true
		}
	case e.Name == "schedule":
		e.Kind = Schedule
	case e.Name == "push" && e.Tag != "":
		e.Kind = Tag
	case e.Name == "push":
		e.Kind = Push
	default: // web, api, trigger, pipeline, chat, …: somebody, or something, has asked for this run
		e.Kind = Manual
	}
	return e
}
