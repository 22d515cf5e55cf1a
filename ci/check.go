package main

import (
	"context"
	"errors"

	"slipway/ci/internal/dagger"
)

// CheckVet runs go vet on the repository's root module and on this one.
//
// +check
// +cache="session"
func (m *Slipway) CheckVet(ctx context.Context) error {
	_, err := golang().
		WithMountedDirectory("/src", m.Source).WithWorkdir("/src").
		WithExec([]string{"go", "vet", "./..."}).
		WithExec([]string{"go", "-C", "ci", "vet", "./..."}).
		Sync(ctx)
	return err
}

// CheckManifests checks the sample manifests offline.
//
// +check
// +cache="session"
func (m *Slipway) CheckManifests(ctx context.Context) error {
	m.Project = "slipway"
	m.set("REGISTRY", "registry.example.com/slipway")
	var errs []error
	for _, env := range []string{"dev", "prod"} {
		_, err := m.LintManifest(ctx, env, false)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// CheckServices builds, lints and tests every service, and packs it.
//
// +check
// +cache="session"
func (m *Slipway) CheckServices(ctx context.Context) error {
	_, err := m.BuildAll(ctx)
	return err
}

// golang is a container with Go, git, and the caches that all of them share.
func golang() *dagger.Container {
	return dag.Container().From(golangImage).
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("go-mod")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("go-build")).
		WithEnvVariable("CGO_ENABLED", "0").
		WithEnvVariable("GOTOOLCHAIN", "auto").
		WithEnvVariable("GOFLAGS", "-buildvcs=false")
}
