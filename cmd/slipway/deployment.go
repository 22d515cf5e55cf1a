package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"slipway/deploy/apply"
	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/release"
	"slipway/deploy/watch"
	"slipway/report/comment"
	"slipway/report/foreign"
)

// deployment is what is known of a deploy, for those who are to be told of it.
type deployment struct {
	stack    string
	reason   string // "deploy", "rollback to release 3"
	record   release.Record
	want     *convert.Stack
	plan     *diff.Plan
	verdict  *apply.Verdict
	warnings []string
	mask     foreign.Mask
	began    time.Time
	told     bool // in the chats
}

// deployment is the one to an environment; a plan and the deploy after it share it.
func (s *story) deployment(env string) *deployment {
	if s.deployments == nil {
		s.deployments = map[string]*deployment{}
	}
	if s.deployments[env] == nil {
		s.deployments[env] = &deployment{began: time.Now(), reason: "deploy"}
	}
	return s.deployments[env]
}

// announced tells how a deploy has ended, and gives its error back as it is.
func (p *place) announced(ctx context.Context, err error) error {
	p.did.stack, p.did.warnings, p.did.mask = p.env.Stack, p.warnings, p.mask()
	p.tellChats(ctx, err)
	return err
}

// ok tells whether a deploy went well that ended with err.
func (d *deployment) ok(err error) bool {
	return err == nil && (d.verdict == nil || d.verdict.Exit == apply.ExitDone)
}

// ending is how a deploy ended, in a word, and why that is no better.
func (d *deployment) ending(err error) (result, cause, next string) {
	switch v := d.verdict; {
	case v == nil && err == nil:
		return "planned", "", ""
	case v == nil:
		return "failed", err.Error(), ""
	case v.Exit == apply.ExitDone && err != nil:
		return "failed", err.Error(), v.Next
	default:
		return string(v.Result), v.Cause, v.Next
	}
}

// services are what became of the services, with the reasons of those that failed.
func (d *deployment) services() (out []comment.Service) {
	if d.verdict == nil {
		return nil
	}
	for _, s := range d.verdict.Services {
		one := comment.Service{Name: s.Key, Tag: tagOf(s.Image), State: string(s.State), OK: s.State == watch.Done, Running: s.Running, Wanted: s.Wanted}
		if s.Back {
			one.State = "taken back"
		}
		if r := s.Reason; r != nil && !one.OK {
			one.Reason = &comment.Reason{
				Message: r.Message, Task: r.Task, Node: r.Node, ExitCode: r.ExitCode, Error: r.TaskError, Health: r.Health, Log: r.Log, Now: r.Now,
			}
		}
		out = append(out, one)
	}
	return out
}

// changes are what the deploy was to write, a line for each object.
func (d *deployment) changes() (out []string) {
	if d.reason != "deploy" {
		out = append(out, d.reason)
	}
	if d.plan == nil {
		return out
	}
	for _, op := range d.plan.Operations {
		if op.Action == diff.Leave || op.Action == diff.Keep {
			continue
		}
		line := fmt.Sprintf("%s %s %s", op.Action, op.Kind, op.Name)
		var fields []string
		for _, f := range op.Fields {
			if f.Path == "image" && tagOf(f.Old)+tagOf(f.New) != "" {
				f.Path = fmt.Sprintf("image %s → %s", tagOf(f.Old), tagOf(f.New))
			}
			fields = append(fields, f.Path)
		}
		if op.Action == diff.Update && len(fields) > 0 {
			line += ": " + strings.Join(fields, ", ")
		}
		out = append(out, line)
	}
	return out
}

// planned is the plan as a comment shows it, nil where there is none.
func (d *deployment) planned() *comment.Plan {
	if d.plan == nil {
		return nil
	}
	n := d.plan.Counts()
	out := &comment.Plan{Create: n.Create, Update: n.Update, Delete: n.Delete}
	for _, op := range d.plan.Operations {
		if op.Action == diff.Leave {
			out.Unchanged++
			continue
		}
		c := comment.Change{Action: string(op.Action), Kind: string(op.Kind), Name: op.Name, Note: op.Note}
		for _, f := range op.Fields {
			c.Fields = append(c.Fields, f.String())
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}

// tagOf is an image's tag, "" where it has none.
func tagOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	i := strings.LastIndex(name, ":")
	if i < strings.LastIndex(name, "/") {
		return ""
	}
	return name[i+1:]
}
