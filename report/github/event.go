package github

import (
	"encoding/json"
	"fmt"
)

// Event is what the file GITHUB_EVENT_PATH says about a pull request.
type Event struct {
	PullRequest int      // 0: it is of none
	Head        string   // the pull request's own last commit: GITHUB_SHA is a merge that nobody made
	Labels      []string // nil where the event does not have them: ask Labels
	Fork        bool     // from another repository: the token can only read
}

type pull struct {
	Number int `json:"number"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
	Head struct {
		SHA  string `json:"sha"`
		Repo *struct {
			FullName string `json:"full_name"`
		} `json:"repo"`
	} `json:"head"`
	Base struct {
		Repo *struct {
			FullName string `json:"full_name"`
		} `json:"repo"`
	} `json:"base"`
	PullRequest *struct{} `json:"pull_request"` // of an issue that is a pull request
}

// ParseEvent reads an event of any kind: pull_request, issue_comment, workflow_run and push.
func ParseEvent(data []byte) (Event, error) {
	var e struct {
		PullRequest *pull `json:"pull_request"`
		Issue       *pull `json:"issue"`
		WorkflowRun *struct {
			PullRequests []pull `json:"pull_requests"`
		} `json:"workflow_run"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return Event{}, fmt.Errorf("the event in GITHUB_EVENT_PATH is no JSON that GitHub would write: %w", err)
	}
	switch {
	case e.PullRequest != nil:
		p := e.PullRequest
		out := p.event()
		out.Fork = p.Head.Repo == nil || p.Base.Repo != nil && p.Head.Repo.FullName != p.Base.Repo.FullName
		return out, nil
	case e.Issue != nil && e.Issue.PullRequest != nil:
		return e.Issue.event(), nil
	case e.WorkflowRun != nil && len(e.WorkflowRun.PullRequests) > 0:
		p := e.WorkflowRun.PullRequests[0]
		return Event{PullRequest: p.Number, Head: p.Head.SHA}, nil
	}
	return Event{}, nil
}

func (p pull) event() Event {
	out := Event{PullRequest: p.Number, Head: p.Head.SHA, Labels: []string{}}
	for _, l := range p.Labels {
		out.Labels = append(out.Labels, l.Name)
	}
	return out
}
