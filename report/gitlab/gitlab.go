// Package gitlab keeps slipway's comments on a merge request up to date, and reads its labels.
// Nothing that goes wrong here fails a pipeline: it is a warning, which says what is missing.
package gitlab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	api "gitlab.com/gitlab-org/api/client-go"

	"slipway/report/retry"
	"slipway/report/thread"
	"slipway/secret"
)

// Settings are where to comment and as whom; in comments GitLab's own variables.
type Settings struct {
	API          string       // CI_API_V4_URL
	Project      string       // CI_PROJECT_ID, or the path
	MergeRequest int64        // CI_MERGE_REQUEST_IID; 0: the open ones that have Commit
	Commit       string       // CI_COMMIT_SHA
	Branch       string       // CI_COMMIT_BRANCH: of those with Commit only the ones from this branch; "" for all
	Token        secret.Value // GITLAB_TOKEN
	JobToken     secret.Value // CI_JOB_TOKEN, only to tell it from a token that may comment
	Retry        retry.Policy
}

// Client talks to one project of one GitLab.
type Client struct {
	s   Settings
	api *api.Client
	me  *int64 // the token's user, once asked; 0 where GitLab does not tell
}

// New makes a client. It asks nothing yet.
func New(s Settings) (*Client, error) {
	switch {
	case s.API == "" || s.Project == "":
		return nil, errors.New("it is not known which GitLab project this is: CI_API_V4_URL and CI_PROJECT_ID are not set")
	case s.Token.Empty() && !s.JobToken.Empty(), !s.Token.Empty() && s.Token.Reveal() == s.JobToken.Reveal():
		return nil, errors.New("CI_JOB_TOKEN cannot comment on merge requests: " + create)
	case s.Token.Empty():
		return nil, errors.New("GITLAB_TOKEN is not set: " + create)
	}
	c, err := api.NewClient(s.Token.Reveal(), api.WithBaseURL(s.API), api.WithHTTPClient(s.Retry.Client()), api.WithoutRetries(), api.WithCustomLimiter(unlimited{}))
	if err != nil {
		return nil, fmt.Errorf("CI_API_V4_URL is no address of GitLab's API: %w", err)
	}
	return &Client{s: s, api: c}, nil
}

// create says how to get a token that works.
const create = "create a project access token with the scope api and the role Reporter or higher, and set it as the masked CI/CD variable GITLAB_TOKEN"

// unlimited: package retry paces requests, by what GitLab answers.
type unlimited struct{}

func (unlimited) Wait(context.Context) error { return nil }

// Comment writes the text on the merge request, or on each open one that has the commit. It
// gives an outcome for each, and at least one.
func (c *Client) Comment(ctx context.Context, text thread.Text) []thread.Outcome {
	all, err := c.mergeRequests(ctx)
	if err != nil {
		return []thread.Outcome{{Where: c.place(c.s.MergeRequest), Warning: "no comment was written on GitLab: " + err.Error()}}
	}
	if len(all) == 0 {
		return []thread.Outcome{{Where: "commit " + c.s.Commit, Action: thread.None}}
	}
	var out []thread.Outcome
	for _, mr := range all {
		o, err := thread.Keep(ctx, &notes{c, mr}, text, c.s.Retry)
		o.Where = c.place(mr.iid)
		if err != nil {
			o.Warning = fmt.Sprintf("no comment was written on %s: %v", o.Where, err)
		}
		out = append(out, o)
	}
	return out
}

// Labels are those of the merge request, or of all open ones that have the commit. The error is
// a warning's text.
func (c *Client) Labels(ctx context.Context) ([]string, error) {
	all, err := c.mergeRequests(ctx)
	if err != nil {
		return nil, fmt.Errorf("the labels of %s are not known: %w", c.place(c.s.MergeRequest), err)
	}
	var out []string
	for _, mr := range all {
		if mr.labels == nil {
			ctx, cancel := c.s.Retry.Bound(ctx)
			got, _, err := c.api.MergeRequests.GetMergeRequest(c.s.Project, mr.iid, nil, api.WithContext(ctx))
			cancel()
			if err != nil {
				return nil, fmt.Errorf("the labels of %s are not known: %w", c.place(mr.iid), c.explain(err, mr.iid))
			}
			mr.labels = got.Labels
		}
		out = append(out, mr.labels...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// place names a merge request.
func (c *Client) place(iid int64) string {
	if iid == 0 {
		return fmt.Sprintf("the merge requests of commit %s in project %s", c.s.Commit, c.s.Project)
	}
	return fmt.Sprintf("merge request !%d of project %s", iid, c.s.Project)
}

type mergeRequest struct {
	project any
	iid     int64
	labels  []string // nil: not asked yet
}

// mergeRequests are the one that is set, else the open ones that have the commit: a branch
// pipeline does not know them. One of another branch may have the commit as well, since it
// stands on this one's.
func (c *Client) mergeRequests(ctx context.Context) ([]mergeRequest, error) {
	if c.s.MergeRequest > 0 {
		return []mergeRequest{{project: c.s.Project, iid: c.s.MergeRequest}}, nil
	}
	if c.s.Commit == "" {
		return nil, errors.New("neither CI_MERGE_REQUEST_IID nor CI_COMMIT_SHA is set")
	}
	ctx, cancel := c.s.Retry.Bound(ctx)
	defer cancel()
	var out []mergeRequest
	err := pages(func(o ...api.RequestOptionFunc) (*api.Response, error) {
		found, resp, err := c.api.Commits.ListMergeRequestsByCommit(c.s.Project, c.s.Commit, append(o, api.WithContext(ctx))...)
		for _, mr := range found {
			if mr.State == "opened" && (c.s.Branch == "" || c.s.Branch == mr.SourceBranch) {
				out = append(out, mergeRequest{mr.ProjectID, mr.IID, append([]string{}, mr.Labels...)})
			}
		}
		return resp, err
	})
	if err != nil {
		return nil, c.explain(err, 0)
	}
	return out, nil
}
