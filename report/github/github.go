// Package github keeps slipway's comments on a pull request up to date, and reads its labels.
// Nothing that goes wrong here fails a pipeline: it is a warning, which says what is missing.
package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	api "github.com/google/go-github/v84/github"

	"slipway/report/retry"
	"slipway/report/thread"
	"slipway/secret"
)

// Settings are where to comment and as whom; in comments GitHub's own variables.
type Settings struct {
	API         string       // GITHUB_API_URL, https://api.github.com where ""
	Repository  string       // GITHUB_REPOSITORY, "owner/name"
	PullRequest int          // from the event (ParseEvent); 0: the open ones that have Commit
	Commit      string       // GITHUB_SHA
	Branch      string       // of those with Commit only the ones from this branch; "" for all
	Token       secret.Value // GITHUB_TOKEN
	Retry       retry.Policy
}

// Client talks to one repository.
type Client struct {
	s           Settings
	owner, name string
	api         *api.Client
	me          *int64 // the token's user, once asked; 0 where GitHub does not tell
}

// New makes a client. It asks nothing yet.
func New(s Settings) (*Client, error) {
	owner, name, ok := strings.Cut(s.Repository, "/")
	switch {
	case !ok || owner == "" || name == "" || strings.Contains(name, "/"):
		return nil, errors.New("it is not known which GitHub repository this is: GITHUB_REPOSITORY is not set, or not owner/name")
	case s.Token.Empty():
		return nil, errors.New("GITHUB_TOKEN is not set: " + permit)
	}
	c := api.NewClient(s.Retry.Client()).WithAuthToken(s.Token.Reveal())
	c.DisableRateLimitCheck = true // package retry waits, as long as GitHub says
	if s.API != "" {
		base, err := url.Parse(strings.TrimSuffix(s.API, "/") + "/")
		if err != nil || base.Host == "" {
			return nil, errors.New("GITHUB_API_URL is no address of GitHub's API")
		}
		c.BaseURL = base
	}
	return &Client{s: s, owner: owner, name: name, api: c}, nil
}

// permit says how to get a token that works.
const permit = "give the job's env GITHUB_TOKEN: ${{ github.token }} and the workflow permissions pull-requests: write and issues: write"

// Comment writes the text on the pull request, or on each open one that has the commit. It gives
// an outcome for each, and at least one.
func (c *Client) Comment(ctx context.Context, text thread.Text) []thread.Outcome {
	all, err := c.pullRequests(ctx)
	if err != nil {
		return []thread.Outcome{{Where: c.place(c.s.PullRequest), Warning: "no comment was written on GitHub: " + err.Error()}}
	}
	if len(all) == 0 {
		return []thread.Outcome{{Where: "commit " + c.s.Commit, Action: thread.None}}
	}
	var out []thread.Outcome
	for _, number := range all {
		o, err := thread.Keep(ctx, &comments{c, number}, text, c.s.Retry)
		o.Where = c.place(number)
		if err != nil {
			o.Warning = fmt.Sprintf("no comment was written on %s: %v", o.Where, err)
		}
		out = append(out, o)
	}
	return out
}

// Labels are those of the pull request, or of all open ones that have the commit. The error is a
// warning's text.
func (c *Client) Labels(ctx context.Context) ([]string, error) {
	all, err := c.pullRequests(ctx)
	if err != nil {
		return nil, fmt.Errorf("the labels of %s are not known: %w", c.place(c.s.PullRequest), err)
	}
	ctx, cancel := c.s.Retry.Bound(ctx)
	defer cancel()
	out := []string{}
	for _, number := range all {
		err := pages(func(o api.ListOptions) (*api.Response, error) {
			found, resp, err := c.api.Issues.ListLabelsByIssue(ctx, c.owner, c.name, number, &o)
			for _, l := range found {
				out = append(out, l.GetName())
			}
			return resp, err
		})
		if err != nil {
			return nil, fmt.Errorf("the labels of %s are not known: %w", c.place(number), c.explain(err, number))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// place names a pull request.
func (c *Client) place(number int) string {
	if number == 0 {
		return fmt.Sprintf("the pull requests of commit %s in %s", c.s.Commit, c.s.Repository)
	}
	return fmt.Sprintf("pull request #%d of %s", number, c.s.Repository)
}

// pullRequests are the one that is set, else the open ones that have the commit.
func (c *Client) pullRequests(ctx context.Context) ([]int, error) {
	if c.s.PullRequest > 0 {
		return []int{c.s.PullRequest}, nil
	}
	if c.s.Commit == "" {
		return nil, errors.New("the event is of no pull request, and GITHUB_SHA is not set")
	}
	ctx, cancel := c.s.Retry.Bound(ctx)
	defer cancel()
	var out []int
	err := pages(func(o api.ListOptions) (*api.Response, error) {
		found, resp, err := c.api.PullRequests.ListPullRequestsWithCommit(ctx, c.owner, c.name, c.s.Commit, &o)
		for _, pr := range found {
			if pr.GetState() == "open" && (c.s.Branch == "" || c.s.Branch == pr.GetHead().GetRef()) {
				out = append(out, pr.GetNumber())
			}
		}
		return resp, err
	})
	return out, c.explain(err, 0)
}
