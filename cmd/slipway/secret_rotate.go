package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/deploy/apply"
	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/deploy/secrets"
	"slipway/deploy/watch"
	"slipway/secret"
)

// rotation is one secret on its way to a new value.
type rotation struct {
	*place
	in            input
	base          string
	users         []secrets.User
	database      *databaseCommand // nil where no database is to be told
	value         secret.Value
	id, version   string // of the new secret
	told, settled bool   // the database has it; deploys use it
}

// secretRotate gives a secret a new value, and rolls all services of the stack that use it to
// it, in one release.
func secretRotate(ctx context.Context, in input) error {
	from, show, err := rotationSource(in)
	if err != nil {
		return badInput{err}
	}
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	if show && asJSON {
		return badInput{errors.New("-show=true writes the value to standard output, and -json=true the verdict: keep one")}
	}
	p, m, err := openSecrets(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	r := &rotation{place: p, in: in}
	if r.base, err = p.secretName(m, in.args[1]); err != nil {
		return badInput{err}
	}
	if err := p.connect(ctx); err != nil {
		return err
	}
	state, err := live.Read(ctx, p.host.Docker)
	if err != nil {
		return interrupted(ctx, err)
	}
	r.base = secrets.BaseOf(state.Secrets, r.base)
	if err := r.may(state); err != nil {
		return badInput{err}
	}
	request, err := r.rolled(state)
	if err != nil {
		return err
	}
	if r.value, err = p.value(ctx, from); err != nil {
		return badInput{err}
	}
	if err := secrets.Fits(r.value); err != nil {
		return badInput{err}
	}
	if request == nil {
		err = r.unused(ctx, state)
	} else {
		p.env.Secret = append(p.env.Secret, r.value)
		p.did.reason, p.did.record = request.Reason, request.Record
		err = p.announced(ctx, r.roll(ctx, state, *request, asJSON))
	}
	if show && (r.settled || r.told) { // what nobody uses need not be known
		return errors.Join(err, told(true, r.value, "%s: this value is not shown again", r.version))
	}
	return err
}

func rotationSource(in input) (from source, show bool, err error) {
	generate, err := in.flag("generate")
	if err != nil {
		return nil, false, err
	}
	if show, err = in.flag("show"); err != nil {
		return nil, false, err
	}
	for _, n := range []string{"length", "alphabet", "show"} {
		if _, ok := in.flags[n]; ok && !generate {
			return nil, false, fmt.Errorf("-%s is for a generated value: add -generate=true", n)
		}
	}
	if !generate {
		from, err = sourceOf(in)
		return from, false, err
	}
	for _, n := range []string{"file", "env", "from", "exact"} {
		if _, ok := in.flags[n]; ok {
			return nil, false, fmt.Errorf("-%s says where the value comes from, and -generate=true makes one: keep one of the two", n)
		}
	}
	from, err = generated(in)
	return from, show, err
}

// may says what stands against the rotation.
func (r *rotation) may(state *live.State) error {
	if _, ok := secrets.Newest(state.Secrets, r.base); !ok {
		return fmt.Errorf("there is no secret %s to be replaced: make it with secret:set %s %s", r.base, r.env.Name, r.base)
	}
	users := secrets.Users(state.Services, state.Secrets, r.base)
	for _, u := range secrets.Databases(users) {
		if u.Stack != r.env.Stack {
			return fmt.Errorf("the database %s, which is not of %s, takes the secret %s: rotate it in the environment of that database, so that both change together", u.Service, r.env.Stack, r.base)
		}
	}
	for _, u := range users {
		if u.Stack == r.env.Stack {
			r.users = append(r.users, u)
		} else {
			r.warnings = append(r.warnings, fmt.Sprintf("the service %s of another stack uses the secret %s too, and keeps the old value until it is deployed", u.Service, r.base))
		}
	}
	var err error
	r.database, err = r.command(state)
	return err
}

// rolled is the last good release with the next version of the secret, nil where no service
// of it uses any.
func (r *rotation) rolled(state *live.State) (*apply.Request, error) {
	entries, _ := release.Entries(state.Configs, r.env.Stack)
	i := slices.IndexFunc(entries, func(e release.Entry) bool { return e.State == release.Done })
	next := secrets.Next(state.Secrets, r.env.Stack, r.base)
	r.version = next.Name
	if i < 0 {
		if len(r.users) > 0 {
			return nil, badInput{fmt.Errorf("%s has services that use the secret %s, and no record of a release that went well: deploy first, so that there is something to roll", r.env.Stack, r.base)}
		}
		return nil, nil
	}
	last := entries[i]
	for _, d := range apply.Drift(state, &last) {
		r.warnings = append(r.warnings, "this was changed since the last release, and becomes again as that had it: "+d)
	}
	again := withSecrets(state, &last)
	if _, err := apply.Back(state, again); err != nil {
		return nil, badInput{err}
	}
	now := secrets.With(again.Want, state.Secrets, r.base, r.version)
	if now == again.Want {
		return nil, nil
	}
	out, err := r.request(r.in, now, "rotation of the secret "+r.base)
	if err != nil {
		return nil, err
	}
	out.Check = r.check(now)
	out.Record.Commit, out.Record.Branch = last.Commit, last.Branch
	return &out, nil
}

// unused makes a new version that the next deploy will use.
func (r *rotation) unused(ctx context.Context, state *live.State) error {
	_, err := secrets.Create(ctx, r.host.Docker, secrets.Next(state.Secrets, r.env.Stack, r.base), r.value)
	if err != nil {
		return interrupted(ctx, err)
	}
	r.settled = true
	r.close()
	r.warn()
	return told(false, secret.Value{}, "%s: created the secret %s; no service uses %s now, and the next deploy takes this version", r.env.Stack, r.version, r.base)
}

// roll makes the version, and deploys with it. Until the lock is held and the database has been
// told, nobody but this process would use it.
func (r *rotation) roll(ctx context.Context, state *live.State, request apply.Request, asJSON bool) error {
	id, err := secrets.Create(ctx, r.host.Docker, secrets.Pending(secrets.Next(state.Secrets, r.env.Stack, r.base)), r.value)
	if err != nil {
		return interrupted(ctx, err)
	}
	r.id = id
	// The release that is rolled is the last one: nobody else's may come in between.
	_, plan, err := apply.Plan(ctx, request)
	if err != nil {
		return r.undo(ctx, err)
	}
	request.Seen, request.Prepare = plan.Seen, r.prepare
	request.Report, request.Lock.Report = r.show, r.show // another one, if a person was asked meanwhile
	request.Failed = func(outcomes []watch.Outcome) { writeFailures(r.show, outcomes) }
	v, err := apply.Deploy(ctx, request)
	if v == nil {
		return r.undo(ctx, err)
	}
	r.afterwards(ctx, v)
	return r.conclude(ctx, v, err, asJSON)
}

// prepare runs with the lock held, before the first service is written.
func (r *rotation) prepare(ctx context.Context) error {
	if r.database != nil {
		if err := r.database.run(ctx, r.place, r.value); err != nil {
			return err
		}
		r.told = true
	}
	if err := secrets.Effect(ctx, r.host.Docker, r.id, r.tells()); err != nil {
		if r.told {
			err = fmt.Errorf("%w\nThe database has the new value, and no service does: rotate again", err)
		}
		return err
	}
	r.settled = true
	return nil
}

// tells: whoever says that the database knows already has told it.
func (r *rotation) tells() bool { return r.told || r.in.flags["command"] == toldByHand }

// undo takes the new version away, where nothing has come of it.
func (r *rotation) undo(ctx context.Context, err error) error {
	if _, fault := r.host.Docker.SecretInspect(ctx, r.id, client.SecretInspectOptions{}); errdefs.IsNotFound(fault) {
		// Whoever had the lock meanwhile has collected what seemed to be left by a rotation that died.
		err = &apply.MovedError{What: []string{"another deploy or rotation has ended while this one waited"}}
	}
	if !r.told {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if fault := secrets.Remove(closing, r.host.Docker, r.id); fault != nil {
			r.warnings = append(r.warnings, fmt.Sprintf("the secret %s, which nothing uses, could not be removed: %v", r.version, fault))
		} else {
			r.settled = false
		}
	} else if r.settled {
		r.warnings = append(r.warnings, r.onward())
	}
	r.close()
	r.warn()
	return r.explain(ctx, err)
}

// afterwards adds to a verdict what it means for the secret.
func (r *rotation) afterwards(ctx context.Context, v *apply.Verdict) {
	switch {
	case v.Result == apply.Done:
		v.Warnings = append(v.Warnings, r.warnings...)
		r.warnings = nil
	case r.told:
		v.Left = append(v.Left, r.onward())
	case v.Result != apply.Interrupted && secrets.Remove(ctx, r.host.Docker, r.id) == nil:
		r.settled = false
		v.Removed = append(v.Removed, "secret "+r.version)
		v.Next = fmt.Sprintf("the old value of %s is in effect: mend the cause and rotate again", r.base)
	default: // a service uses it
		v.Left = append(v.Left, fmt.Sprintf("the secret %s is in effect: the next deploy brings all services to it; secret:rotate with the old value goes back", r.version))
	}
}

// onward says where things stand once a database has a value that its services may lack.
func (r *rotation) onward() string {
	return fmt.Sprintf("the database has the new value of %s, which is the secret %s, and takes no other: deploy %s brings the services that do not have it yet to it; to go back, run secret:rotate with the old value and the same -command", r.base, r.version, r.env.Name)
}
