package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"slipway/deploy/environment"
	"slipway/pipeline/event"
	"slipway/report/comment"
	"slipway/report/foreign"
	"slipway/report/github"
	"slipway/report/gitlab"
	"slipway/report/retry"
	"slipway/report/thread"
	"slipway/secret"
)

// talk is what a CI run says to people beside its log: comments on the merge request, and
// messages in chats. What it cannot say is a warning, and never the run's failure.
type talk struct {
	*project
	event event.Event
	vars  map[string]string
	built []built
	mask  foreign.Mask
	about comment.About

	open review
	mute bool // it was said why nothing more comes
}

// built is how one part of a run went.
type built struct {
	part     event.Part
	outcomes []outcome
	err      error
}

// review is a merge or pull request, or all that are open for a commit.
type review interface {
	Comment(ctx context.Context, text thread.Text) []thread.Outcome
	Labels(ctx context.Context) ([]string, error)
}

// patience bounds what a run waits for a service that is not what the run is about.
var patience = retry.Policy{Attempt: 8 * time.Second, Total: 20 * time.Second}

func (p *project) talk(ctx context.Context, e event.Event) *talk {
	t := &talk{project: p, event: e, vars: environ(), about: comment.About{Commit: e.Commit, Link: e.Link}}
	known := secretsIn(t.vars)
	if e.System == "" {
		return t
	}
	if given, err := p.env.login(ctx); err == nil && given != nil { // the password may be there by reference
		known = append(known, given.Password)
	}
	t.mask = foreign.NewMask(known...)
	return t
}

// expected tells whether somebody may wait for a comment: there is a merge request.
func (t *talk) expected() bool {
	switch e := t.event; {
	case e.Request > 0:
		return e.System != ""
	case e.System == event.GitLab: // https://docs.gitlab.com/ci/variables/predefined_variables/
		return t.vars["CI_OPEN_MERGE_REQUESTS"] != ""
	case e.System == event.GitHub: // which does not say
		return e.Branch != "" && !e.OnMain() && (e.Kind == event.Push || e.Kind == event.Manual)
	}
	return false
}

// review opens the merge request's discussion.
func (t *talk) review(ctx context.Context) (review, error) {
	if t.open != nil {
		return t.open, nil
	}
	vars, e := environment.Vars{All: t.vars}, t.event
	name := "GITLAB_TOKEN"
	if e.System == event.GitHub {
		name = "GITHUB_TOKEN"
	}
	token, err := secretVariable(ctx, vars, name)
	if err != nil {
		return nil, err
	}
	if e.System == event.GitHub {
		t.open, err = opened(github.New(github.Settings{
			API: t.vars["GITHUB_API_URL"], Repository: t.vars["GITHUB_REPOSITORY"], PullRequest: e.Request, Commit: e.Commit, Branch: e.Branch,
			Token: token, Retry: patience,
		}))
		return t.open, err
	}
	t.open, err = opened(gitlab.New(gitlab.Settings{
		// A fork's pipeline runs in the fork, and the merge request is where it goes to.
		API: t.vars["CI_API_V4_URL"], Project: cmp.Or(t.vars["CI_MERGE_REQUEST_PROJECT_ID"], t.vars["CI_PROJECT_ID"]), MergeRequest: int64(e.Request),
		Commit: e.Commit, Branch: e.Branch, Token: token, JobToken: secret.New(t.vars["CI_JOB_TOKEN"]), Retry: patience,
	}))
	return t.open, err
}

// opened keeps a client that is not there from looking as if it were.
func opened[C review](c C, err error) (review, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// labels adds to a branch's event the labels of its merge request, which a branch's pipeline
// does not know.
func (t *talk) labels(ctx context.Context) {
	if t.event.Kind != event.Push || t.event.OnMain() || t.event.Fork || !t.expected() {
		return
	}
	r, err := t.review(ctx)
	var labels []string
	if err == nil {
		labels, err = r.Labels(ctx)
	}
	if err != nil {
		t.warn(fmt.Sprintf("the labels of the merge request of %s are not known, and ask for nothing: %v", t.event.Branch, err))
		return
	}
	t.event.Labels = labels
}

// say keeps the comment with this key up to date. One that amends only replaces what an earlier
// run said.
func (t *talk) say(ctx context.Context, key string, amends bool, page interface {
	Markdown(comment.Options) string
}, mask foreign.Mask) {
	if t.mute || !t.expected() {
		return
	}
	r, err := t.review(ctx)
	if err != nil {
		t.warn("no comment was written on the merge request: " + err.Error())
		return
	}
	most := comment.GitLabMax
	if t.event.System == event.GitHub {
		most = comment.GitHubMax
	}
	text := thread.Text{Key: key, Run: t.number(), Markdown: page.Markdown(comment.Options{Max: most, Mask: mask}), Amends: amends}
	for _, o := range r.Comment(context.WithoutCancel(ctx), text) {
		switch {
		case o.Warning != "":
			t.warn(o.Warning)
		case o.Action != thread.None:
			fmt.Fprintf(os.Stderr, "slipway: comment %s on %s: %s\n", key, o.Where, o.Action)
		}
	}
}

// warn gives a warning, once: what is missing stays so for the whole run.
func (t *talk) warn(text string) {
	if !t.mute {
		fmt.Fprintln(os.Stderr, "slipway: warning:", t.mask.Apply(text))
	}
	t.mute = true
}

// number is the run's, which grows from run to run.
func (t *talk) number() int64 {
	n, _ := strconv.ParseInt(cmp.Or(t.vars["CI_PIPELINE_ID"], t.vars["GITHUB_RUN_ID"]), 10, 64)
	return n
}
