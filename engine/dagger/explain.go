package dagger

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	sdk "dagger.io/dagger"

	"slipway/engine"
	"slipway/pipeline"
)

// explain turns Dagger's error on a step into a failure that a person can act on.
func (b *build) explain(s *pipeline.Step, err error) *engine.Failure {
	f := &engine.Failure{Message: plain(err)}
	var exit *sdk.ExecError
	if errors.As(err, &exit) {
		f.Exit = exit.ExitCode
		f.Message = fmt.Sprintf("%s failed with exit status %d", s.Name, f.Exit)
		f.Log = exit.Stdout + exit.Stderr
	}
	if s.Build != nil {
		f.File = s.Build.Dockerfile
		if m := parseErrorLine.FindStringSubmatch(f.Message); m != nil {
			_, _ = fmt.Sscan(m[1], &f.Line)
		}
		f.Message = b.hint(s, f.Message)
	}
	return f
}

var (
	parseErrorLine = regexp.MustCompile(`dockerfile parse error on line (\d+)`)
	wrapping       = regexp.MustCompile(`^(?:input: |failed to \w+ [\w ]+: |process "[^"]*" did not complete successfully: )+`)
	notInContext   = regexp.MustCompile(`(?:stat|lstat|open) /?([^:\s]+): no such file or directory|"/([^"]+)": not found`)
	noBase         = regexp.MustCompile(`failed to resolve (?:source metadata|image)|pull access denied|failed to authorize|unexpected status|manifest unknown|: not found`)
)

// plain drops the words of those who handed the error on.
func plain(err error) string { return wrapping.ReplaceAllString(err.Error(), "") }

// hint says what to do about the usual errors of a Dockerfile.
func (b *build) hint(s *pipeline.Step, msg string) string {
	src := b.plan.Source(s.Build.Source)
	if m := notInContext.FindStringSubmatch(msg); m != nil && src != nil {
		return fmt.Sprintf("%s is not in the build context, which is %s without what git or .dockerignore ignores: name the file relative to that, or set services: {%s: {context: %s}} in %s",
			m[1]+m[2], src.Root, b.plan.Service, b.plan.Dir, pipeline.SettingsFile)
	}
	if noBase.MatchString(msg) {
		return "a base image is not to be had: " + noImage(errors.New(msg)).Error()
	}
	return msg
}

// noImage adds what to do about an image that the engine did not get.
func noImage(err error) error {
	return fmt.Errorf("%s. Check the image's name and tag; a mirror is a setting of the Dagger engine itself (engine.json, registries), not REGISTRY_MIRROR", plain(err))
}

// answerTimeout bounds the question whether the engine is still there.
const answerTimeout = 5 * time.Second

// gone reports whether a step ended with err because the engine itself went away, and
// remembers that.
func (b *build) gone(ctx context.Context, err error) bool {
	var exit *sdk.ExecError
	if errors.As(err, &exit) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if _, silent := b.runner.c.Version(ctx); silent == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost == nil {
		b.lost = fmt.Errorf("the connection to %s broke while it built %s: %s; run again", b.runner.o.Name, b.plan.Service, strings.TrimSpace(plain(err)))
	}
	return true
}
