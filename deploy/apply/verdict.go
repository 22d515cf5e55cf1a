package apply

import (
	"cmp"
	"fmt"

	"slipway/deploy/diff"
	"slipway/deploy/watch"
)

// Result is how a deploy ended, in a word.
type Result string

// What a deploy can come to.
const (
	Done        Result = "done"
	Unchanged   Result = "unchanged"   // nothing to write, and all runs as it should
	RolledBack  Result = "rolled back" // a service failed, and what this deploy changed is as before
	TimedOut    Result = "timed out"
	Failed      Result = "failed" // and left as it is, in part at least
	Interrupted Result = "interrupted"
)

// Exit codes of a deploy, as the README lists them.
const (
	ExitDone       = 0
	ExitOther      = 1
	ExitRolledBack = 3
	ExitTimedOut   = 4
	ExitLocked     = 5
	ExitMoved      = 6
	ExitLeft       = 7
	ExitChanges    = 10
)

// Verdict is the truth about a deploy.
type Verdict struct {
	Result   Result    `json:"result"`
	Exit     int       `json:"exit"`
	Stack    string    `json:"stack"`
	Release  int       `json:"release,omitempty"`
	Before   string    `json:"before,omitempty"` // commit of the last release that went well before
	Cause    string    `json:"cause,omitempty"`  // why it is not done, in a sentence
	Services []Service `json:"services"`
	// Removed, Collected and Left name what was removed with the deploy, what nobody used any
	// more, and what could not be taken back, each with its kind.
	Removed   []string `json:"removed,omitempty"`
	Collected []string `json:"collected,omitempty"`
	Left      []string `json:"left,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Note      string   `json:"note,omitempty"` // what could be better, and is no fault
	Next      string   `json:"next,omitempty"` // what to do now
}

// Service is what became of one service.
type Service struct {
	Key     string        `json:"service"`
	Name    string        `json:"name"`
	Image   string        `json:"image"`
	Change  diff.Action   `json:"change"`
	State   watch.State   `json:"state"`
	Running int           `json:"running"`
	Wanted  int           `json:"wanted"`
	Back    bool          `json:"back,omitempty"` // this deploy took it back to what it was
	Reason  *watch.Reason `json:"reason,omitempty"`
}

func newVerdict(r Request, plan *diff.Plan) *Verdict {
	v := &Verdict{Stack: r.Want.Name, Services: []Service{}, Warnings: plan.Warnings}
	change := map[string]diff.Action{}
	for _, op := range plan.Operations {
		if op.Kind == diff.ServiceKind {
			change[op.Name] = op.Action
		}
	}
	for _, s := range r.Want.Services {
		v.Services = append(v.Services, Service{
			Key: s.Key, Name: s.Spec.Name, Image: s.Spec.TaskTemplate.ContainerSpec.Image,
			Change: cmp.Or(change[s.Spec.Name], diff.Leave), State: watch.Waiting,
		})
	}
	return v
}

// take enters what a watch has seen.
func (v *Verdict) take(outcomes []watch.Outcome) {
	for _, o := range outcomes {
		if s := v.service(o.Name); s != nil {
			s.State, s.Running, s.Wanted, s.Reason = o.State, o.Running, o.Wanted, o.Reason
		}
	}
}

func (v *Verdict) service(name string) *Service {
	for i := range v.Services {
		if v.Services[i].Name == name {
			return &v.Services[i]
		}
	}
	return nil
}

// conclude sets the exit code, once the rest is known.
func (v *Verdict) conclude() *Verdict {
	switch v.Result {
	case Done, Unchanged:
		v.Exit = ExitDone
	case RolledBack:
		v.Exit = ExitRolledBack
	case TimedOut:
		v.Exit = ExitTimedOut
	case Failed:
		v.Exit = ExitLeft
	default:
		v.Exit = ExitOther
	}
	return v
}

// firstBad is the first service that is neither done nor still under way.
func firstBad(outcomes []watch.Outcome) *watch.Outcome {
	for i, o := range outcomes {
		if o.State != watch.Done && o.State != watch.Waiting {
			return &outcomes[i]
		}
	}
	return nil
}

func why(o watch.Outcome) string {
	if o.Reason == nil || o.Reason.Message == "" {
		return string(o.State)
	}
	return fmt.Sprintf("%s: %s", o.State, o.Reason.Message)
}
