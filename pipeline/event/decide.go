package event

import (
	"fmt"
	"slices"
	"strings"

	"slipway/pipeline"
	"slipway/report/foreign"
)

// Prod is the environment that a merge to the main branch deploys to.
const Prod = "prod"

// Known is what there is in the repository.
type Known struct {
	Settings *pipeline.Settings
	Services []string // all
	Packed   []string // those that become images
	// Affected are the services that differ from the event's base; nil where that is not known,
	// and then all are taken.
	Affected     []string
	Environments []string
}

// Decide says what is to be done about an event.
func Decide(e Event, k Known) Decision {
	d := &decider{Event: e, Known: k, labels: k.Settings.Labels.Named()}
	for _, l := range e.Labels {
		d.label(l)
	}
	if e.Environment != "" {
		d.deploy(e.Environment, "chosen by hand", "the deploy chosen by hand")
	}
	switch {
	case e.Kind == Push && e.Branch == e.main():
		d.merged()
	case e.Kind == Push && len(d.out.Labels) == 0: // else they are its merge request's
		d.note("a push to %s asks for nothing: open a merge request with labels, or run this by hand", branchOrNone(e.Branch))
	case e.Kind == Tag:
		d.check(d.Services, "a tag")
	case e.Kind == Schedule:
		d.check(d.Services, "a schedule")
	case e.Kind == Manual && len(d.out.Labels) == 0 && e.Environment == "" && !e.ByHand:
		d.check(d.Services, "a run by hand")
	case e.Kind == MergeRequest && len(d.out.Labels) == 0 && !e.ByHand:
		d.note("no label asks for anything: there are %s, %s and %s", d.labels.Tests, strings.ReplaceAll(d.labels.Build, "*", "SERVICE"), strings.ReplaceAll(d.labels.Deploy, "*", "ENVIRONMENT"))
	case e.Kind == "":
		d.note("the event %s asks for nothing", e.Name)
	}
	if e.ByHand {
		if len(d.out.Check.Why) == 0 {
			d.check(d.affected(d.Services), "started by hand")
		}
		if len(d.out.Images.Why) == 0 {
			d.images(d.affected(d.Packed), "started by hand")
		}
	}
	return d.out
}

type decider struct {
	Event
	Known
	labels pipeline.LabelSettings
	out    Decision
}

// label does what one label asks for. Labels that are not slipway's are none of its business.
func (d *decider) label(label string) {
	service, build := named(d.labels.Build, label)
	env, deploy := named(d.labels.Deploy, label)
	if build && deploy { // build-dev-deploy: whichever is there
		deploy = !slices.Contains(d.Services, service) && slices.Contains(d.Environments, env)
		build = !deploy
	}
	switch {
	case slices.Contains(d.out.Labels, label):
		return
	case label == d.labels.Tests:
		d.check(d.affected(d.Services), label)
	case build && slices.Contains(d.Services, service):
		d.check([]string{service}, label)
		d.images([]string{service}, label)
	case build:
		d.refuse("", "", "the label %s asks for an image of the service %q, which does not exist: %s", label, service, meant(d.labels.Build, service, d.Services, "the repository has no services"))
		d.ask(label, Check, Images)
	case deploy:
		d.deploy(env, label, "the label "+label)
	default:
		return
	}
	d.out.Labels = append(d.out.Labels, label)
}

// ask notes that a part is asked for although it will be refused.
func (d *decider) ask(why string, parts ...Part) {
	for _, p := range parts {
		if p == Check {
			d.check(nil, why)
		} else {
			d.images(nil, why)
		}
	}
}

// deploy asks for a deploy, and for the images that the environment's manifest may name.
func (d *decider) deploy(env, why, asker string) {
	d.check(d.Services, why)
	d.images(d.Packed, why)
	if !slices.Contains(d.Environments, env) {
		pattern := d.labels.Deploy
		if asker != "the label "+why {
			pattern = "*"
		}
		d.refuse("", env, "%s asks for the environment %q, which does not exist: %s", asker, env, meant(pattern, env, d.Environments, "there is no manifest at all"))
		return
	}
	settings := d.Settings.Environment(env)
	if d.Fork && settings.MayDeploy(env, "") != nil {
		d.refuse(Deploy, env, "%s is refused: %s is deployed from %s only, and this branch is a fork's, whatever its name: merge first", asker, env, strings.Join(settings.Branches, ", "))
		return
	}
	if err := settings.MayDeploy(env, d.Branch); err != nil {
		d.refuse(Deploy, env, "%s is refused: %v", asker, err)
		return
	}
	for i := range d.out.Deploy {
		if d.out.Deploy[i].Env == env {
			d.out.Deploy[i].Why = append(d.out.Deploy[i].Why, why)
			return
		}
	}
	d.out.Deploy = append(d.out.Deploy, Target{Env: env, Why: []string{why}})
}

// merged is what a merge to the main branch asks for.
func (d *decider) merged() {
	why := "merged to " + d.Branch
	d.check(d.Services, why)
	d.images(d.Packed, why)
	switch set := d.Settings.Environments[Prod].Branches; {
	case !slices.Contains(d.Environments, Prod):
		d.note("there is no manifest of %s, so nothing is deployed", Prod)
	case set != nil && d.Settings.Environment(Prod).MayDeploy(Prod, d.Branch) != nil:
		d.note("%s is not deployed: %s names other branches for it (environments.%s.branches: %s)", Prod, pipeline.SettingsFile, Prod, strings.Join(set, ", "))
	default:
		d.deploy(Prod, why, "the deploy on a merge to "+d.Branch)
	}
}

func (d *decider) affected(of []string) []string {
	if d.Affected == nil {
		return of
	}
	var out []string
	for _, s := range of {
		if slices.Contains(d.Affected, s) {
			out = append(out, s)
		}
	}
	return out
}

func (d *decider) check(services []string, why string) { d.out.Check.add(services, why) }

func (d *decider) images(services []string, why string) { d.out.Images.add(services, why) }

func (s *Selection) add(services []string, why string) {
	for _, n := range services {
		if !slices.Contains(s.Services, n) {
			s.Services = append(s.Services, n)
		}
	}
	slices.Sort(s.Services)
	if !slices.Contains(s.Why, why) {
		s.Why = append(s.Why, why)
	}
}

func (d *decider) note(format string, args ...any) {
	d.out.Notes = append(d.out.Notes, foreign.Line(fmt.Sprintf(format, args...)))
}

func (d *decider) refuse(part Part, env, format string, args ...any) {
	d.out.Refused = append(d.out.Refused, Refusal{Part: part, Env: env, Text: foreign.Line(fmt.Sprintf(format, args...))})
}

// named finds the name that a label has in the place of a pattern's *.
func named(pattern, label string) (name string, ok bool) {
	before, after, _ := strings.Cut(pattern, "*")
	name, ok = strings.CutPrefix(label, before)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, after)
	return name, ok && name != ""
}

// meant says what there is instead of a name that does not exist, in the pattern's form.
func meant(pattern, name string, known []string, none string) string {
	in := func(names []string) []string {
		out := make([]string, len(names))
		for i, n := range names {
			out[i] = strings.Replace(pattern, "*", n, 1)
		}
		return out
	}
	switch near := pipeline.Nearest(name, known); {
	case len(near) > 0:
		return "did you mean " + strings.Join(in(near), " or ") + "?"
	case len(known) > 0:
		return "there are " + strings.Join(in(known), ", ")
	}
	return none
}
