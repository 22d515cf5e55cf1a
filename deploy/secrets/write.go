package secrets

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/remote"
	"slipway/secret"
)

// patience bounds how long a write is tried while the connection is gone.
const patience = 30 * time.Second

// Limit is Swarm's on a secret's data, in bytes; a secret has to be shorter (swarmkit,
// MaxSecretSize).
const Limit = 500 << 10

// Fits says what is wrong with a value, nil where it can be a secret.
func Fits(v secret.Value) error {
	switch n := len(v.Reveal()); {
	case n == 0:
		return fmt.Errorf("the value is empty, and Swarm stores no empty secrets")
	case n >= Limit:
		return fmt.Errorf("the value has %d bytes, and a secret has to have less than %d: put it into a volume", n, Limit)
	}
	return nil
}

// Create makes a secret in the Swarm. ErrThere: there is one of its name.
func Create(ctx context.Context, docker *client.Client, spec swarm.SecretSpec, v secret.Value) (id string, err error) {
	if err := Fits(v); err != nil {
		return "", err
	}
	tries := 0
	err = remote.Retry(ctx, time.Now().Add(patience), func() error {
		tries++
		if tries > 1 { // the first may have made it, and its answer was lost
			got, err := docker.SecretInspect(ctx, spec.Name, client.SecretInspectOptions{})
			if err == nil {
				id = got.Secret.ID
				return nil
			}
			if !errdefs.IsNotFound(err) {
				return err
			}
		}
		full := spec
		full.Data = []byte(v.Reveal())
		got, err := docker.SecretCreate(ctx, client.SecretCreateOptions{Spec: full})
		id = got.ID
		return err
	})
	switch {
	case errdefs.IsConflict(err), errdefs.IsAlreadyExists(err):
		return "", &ThereError{spec.Name}
	case err != nil:
		return "", fmt.Errorf("creating the secret %s: %w", spec.Name, err)
	}
	return id, nil
}

// ThereError says that a name is taken.
type ThereError struct{ Name string }

func (e *ThereError) Error() string { return "there is a secret " + e.Name + " already" }

// Pending marks a version that is not yet to be used.
func Pending(spec swarm.SecretSpec) swarm.SecretSpec {
	spec.Labels[labelPending] = "true"
	return spec
}

// Effect puts a version into effect: from now on deploys use it. told: a database takes it,
// and no earlier one.
func Effect(ctx context.Context, docker *client.Client, id string, told bool) error {
	return remote.Retry(ctx, time.Now().Add(patience), func() error {
		for try := 0; ; try++ {
			now, err := docker.SecretInspect(ctx, id, client.SecretInspectOptions{})
			if err != nil {
				return fmt.Errorf("putting the new secret into effect: %w", err)
			}
			spec := now.Secret.Spec
			delete(spec.Labels, labelPending)
			if told {
				spec.Labels[labelTold] = "true"
			}
			_, err = docker.SecretUpdate(ctx, id, client.SecretUpdateOptions{Version: now.Secret.Version, Spec: spec})
			if err == nil {
				return nil
			}
			if !strings.Contains(err.Error(), "out of sequence") || try == 10 {
				return fmt.Errorf("putting the secret %s into effect: %w", spec.Name, err)
			}
		}
	})
}

// Remove takes a version away, unless a service uses it.
func Remove(ctx context.Context, docker *client.Client, id string) error {
	return remote.Retry(ctx, time.Now().Add(patience), func() error {
		_, err := docker.SecretRemove(ctx, id, client.SecretRemoveOptions{})
		if errdefs.IsNotFound(err) {
			return nil
		}
		return err
	})
}
