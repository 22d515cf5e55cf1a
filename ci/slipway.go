package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/ci/internal/dagger"
)

// golangImage compiles slipway, and its commands run in it: they need git.
// https://hub.docker.com/_/golang
const golangImage = "golang:1.26-bookworm"

// flags are a command's by name; an empty one is left out.
type flags map[string]string

func yes(on bool) string {
	if on {
		return "true"
	}
	return ""
}

func (m *Slipway) set(name, value string) {
	if value != "" {
		m.Settings = append(m.Settings, Setting{Name: name, Value: value})
	}
}

func (m *Slipway) setSecret(name string, value *dagger.Secret) {
	if value != nil {
		m.Settings = append(m.Settings, Setting{Name: name, Secret: value})
	}
}

func (m *Slipway) setAll(variables []string) error {
	for _, v := range variables {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return fmt.Errorf("--variables %q: write NAME=VALUE", v)
		}
		m.set(name, value)
	}
	return nil
}

// program compiles slipway.
func (m *Slipway) program() *dagger.File {
	return golang().
		WithMountedDirectory("/slipway", m.Program).WithWorkdir("/slipway").
		WithExec([]string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", "/usr/local/bin/slipway", "./cmd/slipway"}).
		File("/usr/local/bin/slipway")
}

// run runs a command of slipway's, always: what it finds outside the container (a registry, a
// Swarm) is in no cache key. The steps of a build are in the engine's cache all the same.
func (m *Slipway) run(ctx context.Context, f flags, args ...string) (*dagger.Container, error) {
	ctr := golang().
		WithFile("/usr/local/bin/slipway", m.program()).
		WithMountedDirectory("/slipway", m.Program).WithEnvVariable("SLIPWAY_HOME", "/slipway").
		WithMountedCache("/root/.cache/slipway", dag.CacheVolume("slipway")).
		WithDirectory(m.dir(), m.Source).WithWorkdir(m.dir()).
		WithEnvVariable("SLIPWAY_ENGINE", "dagger").
		WithEnvVariable("SLIPWAY_CALL", time.Now().UTC().Format(time.RFC3339Nano))
	for _, s := range m.Settings {
		if s.Secret != nil {
			ctr = ctr.WithSecretVariable(s.Name, s.Secret)
			continue
		}
		ctr = ctr.WithEnvVariable(s.Name, s.Value)
	}
	command := append([]string{"slipway"}, args...)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if f[name] != "" {
			command = append(command, "-"+name+"="+f[name])
		}
	}
	ctr = ctr.WithExec(command, dagger.ContainerWithExecOpts{ExperimentalPrivilegedNesting: true, Expect: dagger.ReturnTypeAny})
	exit, err := ctr.ExitCode(ctx)
	if err != nil {
		return nil, err
	}
	if exit != 0 {
		return nil, failure(ctx, ctr, exit, strings.Join(command, " "))
	}
	return ctr, nil
}

// dir is where the repository is in a command's container: its last part is the project's name,
// where the settings have none.
func (m *Slipway) dir() string { return "/src/" + cmp.Or(m.Project, "project") }

// deployed is output for a command on an environment, whose stack is named after the project.
func (m *Slipway) deployed(ctx context.Context, f flags, args ...string) (string, error) {
	if m.Project == "" {
		named, err := m.Source.Search(ctx, `^project:\s*\S`, dagger.DirectorySearchOpts{Paths: []string{"slipway.yaml"}, FilesOnly: true})
		if err != nil || len(named) == 0 {
			return "", errors.New("the project has no name: give --project, or write project: into slipway.yaml")
		}
	}
	return m.output(ctx, f, args...)
}

// failure is what a command says of its end: its result, where it has one, and its last words.
func failure(ctx context.Context, ctr *dagger.Container, exit int, command string) error {
	result, err := ctr.Stdout(ctx)
	if err != nil {
		return err
	}
	log, err := ctr.Stderr(ctx)
	if err != nil {
		return err
	}
	const lastWords = 40
	lines := strings.Split(strings.TrimSpace(log), "\n")
	lines = lines[max(0, len(lines)-lastWords):]
	return fmt.Errorf("%s: exit code %d\n%s\n%s", command, exit, strings.Join(lines, "\n"), result)
}

func (m *Slipway) output(ctx context.Context, f flags, args ...string) (string, error) {
	ran, err := m.run(ctx, f, args...)
	if err != nil {
		return "", err
	}
	return ran.Stdout(ctx)
}

func (m *Slipway) built(ctx context.Context, args ...string) (*dagger.Directory, error) {
	ran, err := m.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	return ran.Directory("build"), nil
}
