package release

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/remote"
)

// patience bounds how long a write of a record is tried while the connection is gone.
const patience = 30 * time.Second

// Begin writes a new release's record, numbered after the highest that there is.
func Begin(ctx context.Context, docker *client.Client, r Record) (*Entry, error) {
	for try := 0; ; try++ {
		list, err := docker.ConfigList(ctx, client.ConfigListOptions{Filters: make(client.Filters).Add("label", labelStack+"="+r.Stack)})
		if err != nil {
			return nil, fmt.Errorf("reading the releases of %s: %w", r.Stack, err)
		}
		r.Number = 1
		for _, c := range list.Items {
			if n, err := strconv.Atoi(c.Spec.Labels[labelNumber]); err == nil && n >= r.Number {
				r.Number = n + 1
			}
		}
		data, err := encode(r)
		if err != nil {
			return nil, err
		}
		labels := map[string]string{labelStack: r.Stack, labelNumber: strconv.Itoa(r.Number), labelState: string(Applying)}
		if r.Review != nil {
			labels[labelExpires] = r.Review.Expires.UTC().Format(time.RFC3339)
		}
		got, err := docker.ConfigCreate(ctx, client.ConfigCreateOptions{Spec: swarm.ConfigSpec{Data: data, Annotations: swarm.Annotations{
			Name: ObjectName("release", r.Stack, strconv.Itoa(r.Number)), Labels: labels,
		}}})
		switch {
		case err == nil:
			return &Entry{Record: r, State: Applying, ConfigID: got.ID}, nil
		case !errdefs.IsConflict(err) && !errdefs.IsAlreadyExists(err) || try == 10:
			return nil, fmt.Errorf("recording release %d of %s: %w", r.Number, r.Stack, err)
		}
	}
}

// Finish notes how a release ended.
func (e *Entry) Finish(ctx context.Context, docker *client.Client, state State, reason string) error {
	reason = oneLine(reason)
	err := relabel(ctx, docker, e.ConfigID, map[string]string{labelState: string(state), labelReason: reason})
	if err != nil {
		return fmt.Errorf("noting that release %d ended as %q: %w", e.Number, state, err)
	}
	e.State, e.Reason = state, reason
	return nil
}

// relabel sets labels of a record, also when somebody else does so at the same time.
func relabel(ctx context.Context, docker *client.Client, id string, labels map[string]string) error {
	return remote.Retry(ctx, time.Now().Add(patience), func() error {
		for try := 0; ; try++ {
			now, err := docker.ConfigInspect(ctx, id, client.ConfigInspectOptions{})
			if err != nil {
				return err
			}
			spec := now.Config.Spec
			maps.Copy(spec.Labels, labels)
			_, err = docker.ConfigUpdate(ctx, id, client.ConfigUpdateOptions{Version: now.Config.Version, Spec: spec})
			if err == nil || !strings.Contains(err.Error(), "out of sequence") || try == 10 {
				return err
			}
		}
	})
}

// AsDone is the Swarm's configs as they will be once this release is noted as gone well.
func (e *Entry) AsDone(configs []swarm.Config) []swarm.Config {
	out := slices.Clone(configs)
	for i := range out {
		if out[i].ID == e.ConfigID {
			out[i].Spec.Labels = maps.Clone(out[i].Spec.Labels)
			out[i].Spec.Labels[labelState] = string(Done)
		}
	}
	return out
}

// oneLine makes a text fit for a label.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return s
}
