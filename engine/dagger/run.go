package dagger

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	sdk "dagger.io/dagger"

	"slipway/engine"
	"slipway/pipeline"
)

// outDir is where a Run step leaves its output.
const outDir = "/out"

// Dagger does not say whether it ran a command or had its result. A variable that is in no
// cache key tells: what a command finds in it is what the session that ran it put there.
const (
	sessionVar = "SLIPWAY_SESSION"
	markFile   = "/.slipway-session"
)

func markRun(args []string) []string {
	return append([]string{"sh", "-c", `echo "$` + sessionVar + `" >` + markFile + ` && exec "$@"`, "sh"}, args...)
}

// runStep runs a command. A verdict that says "failed" and comes from the cache is not
// believed: the command is run again, for the failure may have been the network's, and
// who repeats a failed command wants it to happen.
func (b *build) runStep(ctx context.Context, s *pipeline.Step) (engine.State, *engine.Failure, error) {
	ctr, ran, err := b.exec(ctx, s, "")
	if err != nil {
		return "", nil, err
	}
	exit := 0
	if s.Run.Verdict {
		if exit, err = b.verdict(ctx, s); err != nil {
			return "", nil, err
		}
		if exit != 0 && !ran {
			if ctr, ran, err = b.exec(ctx, s, rand.Text()); err != nil {
				return "", nil, err
			}
			if exit, err = b.verdict(ctx, s); err != nil {
				return "", nil, err
			}
		}
	}
	switch {
	case exit != 0:
		fail, err := b.verdictFailure(ctx, s, ctr, exit)
		return engine.Failed, fail, err
	case ran:
		return engine.Done, nil, nil
	}
	return engine.Cached, nil, nil
}

// exec runs the step's command and keeps its output. An attempt that is not "" makes Dagger run
// it even if it has the result.
func (b *build) exec(ctx context.Context, s *pipeline.Step, attempt string) (ctr *sdk.Container, ran bool, err error) {
	if ctr, err = b.draw(ctx, s); err != nil {
		return nil, false, err
	}
	if attempt != "" {
		ctr = ctr.WithEnvVariable("SLIPWAY_ATTEMPT", attempt)
	}
	ctr, err = ctr.WithVolatileVariable(sessionVar, b.runner.session).WithExec(markRun(s.Run.Args)).Sync(ctx)
	if err != nil {
		return nil, false, err
	}
	b.mu.Lock()
	b.outputs[s.ID] = ctr.Directory(outDir)
	b.mu.Unlock()
	mark, err := ctr.File(markFile).Contents(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("asking whether %s was run: %w", s.Name, err)
	}
	return ctr, strings.TrimSpace(mark) == b.runner.session, nil
}

// draw prepares the container that the step's command runs in.
func (b *build) draw(ctx context.Context, s *pipeline.Step) (*sdk.Container, error) {
	ctr, err := b.runner.root(ctx, s.Run.On, b.plan.Platform)
	if err != nil {
		return nil, err
	}
	for _, v := range s.Run.Env {
		ctr = ctr.WithEnvVariable(v.Name, v.Value)
	}
	for _, m := range s.Run.Mounts {
		if ctr, err = b.mount(ctr, m); err != nil {
			return nil, fmt.Errorf("step %s: %w", s.ID, err)
		}
	}
	return ctr.WithMountedDirectory(outDir, b.runner.c.Directory()).WithWorkdir(s.Run.Dir), nil
}

func (b *build) mount(ctr *sdk.Container, m pipeline.Mount) (*sdk.Container, error) {
	switch {
	case m.Source != "":
		src, err := b.source(m.Source)
		if err != nil {
			return nil, err
		}
		// Writable, and what is written is thrown away: tests may leave files.
		return ctr.WithMountedDirectory(m.Target, src), nil
	case m.Step != "":
		out := b.output(m.Step)
		if out == nil {
			return nil, fmt.Errorf("it mounts the output of %s, which does not come before it", m.Step)
		}
		return ctr.WithMountedDirectory(m.Target, out), nil
	case m.Cache != "":
		return ctr.WithMountedCache(m.Target, b.runner.c.CacheVolume("slipway/"+m.Cache)), nil
	case m.Secret != "":
		content, there := b.job.Secrets[m.Secret]
		if !there {
			return ctr, nil
		}
		secret := b.runner.c.SetSecret("slipway/"+m.Secret, string(content))
		return ctr.WithMountedSecret(m.Target, secret, sdk.ContainerWithMountedSecretOpts{Owner: "0:0", Mode: 0o444}), nil
	}
	return nil, fmt.Errorf("the mount at %s has no origin", m.Target)
}

func (b *build) verdict(ctx context.Context, s *pipeline.Step) (int, error) {
	text, err := b.output(s.ID).File("exit").Contents(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s ended without a verdict (no %s/exit): %w", s.Name, outDir, err)
	}
	exit, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%s ended with the verdict %q, which is no exit status", s.Name, text)
	}
	return exit, nil
}

// verdictFailure is the failure of a command that left reports, which are exported as those
// of a success are.
func (b *build) verdictFailure(ctx context.Context, s *pipeline.Step, ctr *sdk.Container, exit int) (*engine.Failure, error) {
	log, err := ctr.CombinedOutput(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what %s printed: %w", s.Name, err)
	}
	fail := &engine.Failure{Exit: exit, Message: fmt.Sprintf("%s failed with exit status %d", s.Name, exit), Log: log, Reports: map[string][]byte{}}
	for _, name := range []string{"test.json", "lint.json"} {
		if data, there, err := b.read(ctx, s.ID, name); err == nil && there {
			fail.Reports[name] = data
		}
	}
	for i := range b.plan.Steps {
		if e := &b.plan.Steps[i]; e.Export != nil && e.Export.Step == s.ID && !e.Export.Image {
			if err := b.exportFile(ctx, e); err != nil {
				return nil, err
			}
		}
	}
	return fail, nil
}
