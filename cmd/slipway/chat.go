package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"slipway/deploy/apply"
	"slipway/deploy/environment"
	"slipway/pipeline/event"
	"slipway/report/chat"
	"slipway/report/comment"
	"slipway/report/foreign"
	"slipway/secret"
)

// tellChats tells how a deploy has ended, where NOTIFY_URL names somebody to tell. A deploy that
// had nothing to do is no news, nor is a slip of the person at the keyboard.
func (p *place) tellChats(ctx context.Context, err error) {
	d := p.did
	switch {
	case err == nil && (d.verdict == nil || d.verdict.Result == apply.Unchanged):
		return
	case d.verdict == nil && exitCode(err) == exitBadInput && !event.InCI(p.all):
		return
	}
	urls := secret.New(environment.Vars{All: p.all, Env: p.env.Name}.Get("NOTIFY_URL"))
	d.told = true
	m := chat.Message{
		Project: p.env.Project, Env: p.env.Name, Stack: p.env.Stack, OK: d.ok(err), Services: d.services(), Changes: d.changes(),
		Who: d.record.Who, Branch: d.record.Branch, Commit: d.record.Commit, About: comment.About{Link: d.record.Pipeline},
		Took: time.Since(d.began),
	}
	if d.record.Who == "" { // it did not come so far
		r := p.record()
		m.Who, m.Branch, m.Commit, m.About.Link = r.Who, r.Branch, r.Commit, r.Pipeline
	}
	if d.verdict != nil {
		m.Release = d.verdict.Release
	}
	m.Result, m.Cause, m.Next = d.ending(err)
	if !m.OK {
		m.About.Reproduce = p.story.repeat
	}
	send(ctx, urls, d.mask, m)
}

// send tells the chats. The work is over: that it was stopped is no reason not to tell.
func send(ctx context.Context, urls secret.Value, mask foreign.Mask, m chat.Message) (told bool) {
	if urls.Empty() {
		return false
	}
	warnings := chat.Send(context.WithoutCancel(ctx), chat.Settings{URLs: urls, Mask: mask}, m)
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "slipway: warning:", w)
	}
	return len(warnings) == 0
}

// ciNotify tells the chats a text: to try NOTIFY_URL out, or from a script.
func ciNotify(ctx context.Context, in input) error {
	failed, err := in.flag("failed")
	if err != nil {
		return err
	}
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	all, text := environ(), in.flags["text"]
	if text == "" {
		text = "slipway reaches this chat"
	}
	urls, err := secretVariable(ctx, environment.Vars{All: all, Env: in.flags["env"]}, "NOTIFY_URL")
	switch {
	case err != nil:
		return badInput{err}
	case urls.Empty():
		return badInput{errors.New("there is nobody to tell: set NOTIFY_URL (telegram://TOKEN@telegram?chats=ID, slack://…, discord://…, generic+https://HOST/PATH; several by spaces)")}
	}
	host, _ := os.Hostname()
	m := chat.Message{
		Project: p.repo.Project, OK: !failed, Result: text, Who: environment.Who(all, host), Branch: environment.Branch(all, p.tree.Branch), Commit: p.tree.Head,
		About: comment.About{Link: environment.Pipeline(all)},
	}
	if !send(ctx, urls, foreign.NewMask(append(secretsIn(all), urls)...), m) {
		return &shownError{errors.New("not everybody was told")}
	}
	return nil
}
