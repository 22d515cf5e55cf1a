package buildkit

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc/status"

	"slipway/engine"
	"slipway/pipeline"
)

// explain turns BuildKit's error on a step into a failure that a person can act on.
func (b *build) explain(s *pipeline.Step, err error) *engine.Failure {
	f := &engine.Failure{Message: plainMessage(err)}
	var exit *gwpb.ExitError
	if errors.As(err, &exit) {
		f.Exit = int(exit.ExitCode)
		f.Message = fmt.Sprintf("%s failed with exit status %d", s.Name, f.Exit)
	}
	var ve *errdefs.VertexError
	if errors.As(err, &ve) {
		b.mu.Lock()
		b.vertexOf(s.ID, digest.Digest(ve.Digest))
		b.mu.Unlock()
	}
	if s.Build != nil {
		f.File = s.Build.Dockerfile
		for _, src := range errdefs.Sources(err) {
			if len(src.Ranges) > 0 {
				f.Line = int(src.Ranges[0].Start.Line)
			}
		}
		if m := parseErrorLine.FindStringSubmatch(f.Message); f.Line == 0 && m != nil {
			_, _ = fmt.Sscan(m[1], &f.Line)
		}
		f.Message = b.hint(s, f.Message)
	}
	return f
}

var (
	parseErrorLine = regexp.MustCompile(`dockerfile parse error on line (\d+)`)
	rpcPrefix      = regexp.MustCompile(`^(?:rpc error: code = \w+ desc = |failed to solve: |failed to run Build function: )+`)
	notInContext   = regexp.MustCompile(`failed to calculate checksum of ref \S+: "?([^":]+)"?: not found|"/([^"]+)": not found`)
	noBase         = regexp.MustCompile(`(?:failed to resolve source metadata for |failed to load metadata for )?(\S+): (?:failed to resolve source metadata|not found|failed to authorize|failed to do request|pull access denied|unexpected status)`)
)

// plainMessage drops the transport's words.
func plainMessage(err error) string {
	msg := err.Error()
	if st, ok := status.FromError(err); ok && st.Message() != "" {
		msg = st.Message()
	}
	return rpcPrefix.ReplaceAllString(msg, "")
}

// hint says what to do about the usual errors of a Dockerfile.
func (b *build) hint(s *pipeline.Step, msg string) string {
	src := b.plan.Source(s.Build.Source)
	if m := notInContext.FindStringSubmatch(msg); m != nil {
		name := strings.TrimPrefix(m[1]+m[2], "/")
		return fmt.Sprintf("%s is not in the build context, which is %s without what git or .dockerignore ignores: name the file relative to that, or set services: {%s: {context: %s}} in %s",
			name, src.Root, b.plan.Service, b.plan.Dir, pipeline.SettingsFile)
	}
	if strings.Contains(msg, "source metadata") || strings.Contains(msg, "pull access denied") || noBase.MatchString(msg) {
		return "a base image is not to be had: " + b.noImage(msg)
	}
	return fullDisk(msg)
}

// noImage adds where an image was looked for, and what to do.
func (b *build) noImage(msg string) string {
	tried := "the registry that its name says"
	if mirrors := append(b.runner.o.Mirrors, b.runner.o.ImageMirrors...); len(mirrors) > 0 {
		tried = "the mirrors " + strings.Join(mirrors, ", ") + " (REGISTRY_MIRROR) and the registry that its name says"
	}
	return fmt.Sprintf("%s. Tried: %s. Check the image's name and tag, or set REGISTRY_MIRROR to a registry that has it", msg, tried)
}

// fullDisk adds what to do about a full disk.
func fullDisk(msg string) string {
	if noSpace(msg) {
		return msg + ": the disk that the engine keeps its state on is full; free some space and run again"
	}
	return msg
}

// noSpace reports whether a text has the kernel's words for a full disk, or those of libc.
func noSpace(text string) bool {
	return strings.Contains(text, "no space left on device") || strings.Contains(text, "No space left on device")
}

// failureLog is what a failed step printed.
func (b *build) failureLog(s *pipeline.Step) string {
	return b.tracker.log(b.vertex[s.ID])
}

func (b *build) vertexOf(step string, d digest.Digest) {
	if b.vertex == nil {
		b.vertex = map[string]digest.Digest{}
	}
	b.vertex[step] = d
}
