package main

import (
	"context"

	"slipway/ci/internal/dagger"
)

// Build checks a service (build, lint, test), packs it, and gives the build directory.
//
// In that directory are the binary, the image as an OCI layout, reports and run.json.
//
// +cache="session"
func (m *Slipway) Build(
	ctx context.Context,
	// The service's name: a directory of services/.
	service string,
) (*dagger.Directory, error) {
	return m.built(ctx, "build:service", service)
}

// BuildAll is Build for every service, side by side; it names every failure.
//
// +cache="session"
func (m *Slipway) BuildAll(ctx context.Context) (*dagger.Directory, error) {
	return m.built(ctx, "build:all")
}

// Lint runs golangci-lint on a service, and gives the build directory with its report.
//
// +cache="session"
func (m *Slipway) Lint(
	ctx context.Context,
	// The service's name.
	service string,
) (*dagger.Directory, error) {
	return m.built(ctx, "build:lint", service)
}

// Test runs a service's tests, and gives the build directory with their reports.
//
// The tests of the packages that it shares are among them.
//
// +cache="session"
func (m *Slipway) Test(
	ctx context.Context,
	// The service's name.
	service string,
) (*dagger.Directory, error) {
	return m.built(ctx, "build:test", service)
}

// Steps shows what Build would do for a service, and why.
//
// +cache="session"
func (m *Slipway) Steps(
	ctx context.Context,
	// The service's name.
	service string,
	// As JSON instead of a tree.
	//
	// +optional
	asJSON bool,
) (string, error) {
	return m.output(ctx, flags{"json": yes(asJSON)}, "build:plan", service)
}

// Image builds a service and gives its image as a container.
//
// It can be chained: terminal, as-service, export.
//
// +cache="session"
func (m *Slipway) Image(
	ctx context.Context,
	// The service's name.
	service string,
) (*dagger.Container, error) {
	ran, err := m.run(ctx, nil, "build:service", service)
	if err != nil {
		return nil, err
	}
	layout := ran.WithExec([]string{"tar", "-C", "build/" + service + ".oci", "-cf", "/image.tar", "."})
	return dag.Container().Import(layout.File("/image.tar")), nil
}

// Publish builds services, pushes their images, and gives a line NAME TAG DIGEST for each.
//
// +cache="never"
func (m *Slipway) Publish(
	ctx context.Context,
	// The service's name; several by commas.
	service string,
) (string, error) {
	return m.output(ctx, nil, "image:push", service)
}
