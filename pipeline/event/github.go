package event

import (
	"encoding/json"
	"fmt"
	"strings"
)

// payload is what slipway needs of $GITHUB_EVENT_PATH
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
type payload struct {
	PullRequest *struct {
		Number int `json:"number"`
		Labels []struct {
			Name string `json:"name"`
		} `json:"labels"`
		Head side `json:"head"`
		Base side `json:"base"`
	} `json:"pull_request"`
	Repository struct {
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
	Inputs map[string]any `json:"inputs"`
}

// side is one end of a pull request.
type side struct {
	Ref  string `json:"ref"`
	SHA  string `json:"sha"`
	Repo *struct {
		FullName string `json:"full_name"`
	} `json:"repo"` // null where a fork has been deleted
}

// fromGitHub reads the variables of a job and the event's payload.
func fromGitHub(vars map[string]string, data []byte) (Event, error) {
	e := Event{System: GitHub, Name: vars["GITHUB_EVENT_NAME"], Commit: vars["GITHUB_SHA"], Actor: vars["GITHUB_ACTOR"]}
	if vars["GITHUB_RUN_ID"] != "" {
		e.Link = vars["GITHUB_SERVER_URL"] + "/" + vars["GITHUB_REPOSITORY"] + "/actions/runs/" + vars["GITHUB_RUN_ID"]
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return e, fmt.Errorf("reading the event that GitHub describes in $GITHUB_EVENT_PATH: %w", err)
	}
	e.Default = p.Repository.DefaultBranch
	e.Branch, _ = strings.CutPrefix(vars["GITHUB_REF"], "refs/heads/")
	if strings.HasPrefix(e.Branch, "refs/") {
		e.Branch = ""
	}
	e.Tag, _ = strings.CutPrefix(vars["GITHUB_REF"], "refs/tags/")
	if strings.HasPrefix(e.Tag, "refs/") {
		e.Tag = ""
	}
	switch e.Name {
	case "pull_request", "pull_request_target":
		if p.PullRequest == nil {
			return e, fmt.Errorf("reading the event that GitHub describes in $GITHUB_EVENT_PATH: it is a %s, and has no pull_request", e.Name)
		}
		e.Kind, e.Tag, e.Request = MergeRequest, "", p.PullRequest.Number
		for _, l := range p.PullRequest.Labels {
			e.Labels = append(e.Labels, l.Name)
		}
		head, base := p.PullRequest.Head, p.PullRequest.Base
		e.Branch, e.Target, e.Commit, e.Base = head.Ref, base.Ref, head.SHA, base.SHA
		e.Fork = head.Repo == nil || base.Repo == nil || head.Repo.FullName != base.Repo.FullName
	case "schedule":
		e.Kind = Schedule
	case "push":
		e.Kind = Push
		if e.Tag != "" {
			e.Kind = Tag
		}
	case "workflow_dispatch":
		e.Kind = Manual
		e.Labels = Split(text(p.Inputs["labels"]))
		e.Environment = text(p.Inputs["environment"])
		if e.Environment == NoEnvironment {
			e.Environment = ""
		}
	}
	return e, nil
}

// NoEnvironment is the choice of a form that deploys nothing: GitHub's choices cannot be empty.
const NoEnvironment = "none"

func text(v any) string {
	s, _ := v.(string)
	return s
}
