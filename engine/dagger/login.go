package dagger

import (
	"context"
	"fmt"

	"github.com/distribution/reference"
)

// login gives the session the credentials for an image's registry, once, where there are any.
func (r *Runner) login(ctx context.Context, image string) error {
	if r.o.Auth == nil {
		return nil
	}
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil //nolint:nilerr // Dagger says what is wrong with it
	}
	host := reference.Domain(ref)
	r.loginMu.Lock()
	defer r.loginMu.Unlock()
	if r.pulls[host] {
		return nil
	}
	auth, err := r.o.Auth(host)
	if err != nil {
		return err
	}
	if auth.Username != "" {
		password := r.c.SetSecret("slipway/registry/"+host, auth.Password)
		if _, err := r.c.Container().WithRegistryAuth(host, auth.Username, password).Sync(ctx); err != nil {
			return fmt.Errorf("giving Dagger the credentials for %s: %w", host, err)
		}
	}
	r.pulls[host] = true
	return nil
}
