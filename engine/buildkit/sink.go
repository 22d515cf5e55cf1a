package buildkit

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/moby/buildkit/client"

	"slipway/engine"
	"slipway/pipeline"
)

// sink is where a build's image goes.
type sink interface {
	// config prepares the image's config before BuildKit exports it.
	config([]byte) ([]byte, error)
	// finish completes the export; resp is BuildKit's answer. It returns the digest.
	finish(resp map[string]string) (string, error)
}

// openSink adds the plan's image export to what BuildKit is asked for.
func (b *build) openSink(opt *client.SolveOpt) (sink, error) {
	s := b.imageStep()
	var export *pipeline.Export
	for _, e := range b.plan.Steps {
		if e.Export != nil && e.Export.Image {
			export = e.Export
		}
	}
	if s == nil || export == nil {
		return noSink{}, nil
	}
	stamp := stampFor(b.plan, s)
	if b.runner.o.DockerStore {
		// "moby" is the exporter of Docker's own BuildKit; it writes to the Docker store.
		opt.Exports = []client.ExportEntry{{Type: "moby", Attrs: map[string]string{"name": b.plan.Ref()}}}
		return dockerSink{stamp}, nil
	}
	return openLayout(opt, b.scratch, filepath.Join(b.job.Build, filepath.FromSlash(export.To)), b.plan, stamp)
}

// finish completes the image's export, where there is something to export.
func (b *build) finish(resp map[string]string) (string, error) {
	if b.skip {
		return b.last.Digest, nil
	}
	digest, err := b.sink.finish(resp)
	if err != nil {
		return "", err
	}
	b.last.Digest = digest
	b.last.noteDir(b.job.Build, b.imageDir())
	b.last.write(b.scratch, b.job.Build, b.plan.Service)
	return digest, nil
}

// exported records the image's export, which BuildKit does when the steps have ended.
func (b *build) exported(took time.Duration) {
	for i := range b.plan.Steps {
		if s := &b.plan.Steps[i]; s.Export != nil && s.Export.Image {
			b.results.End(s, engine.Done, took, nil)
		}
	}
}

// push sends the exported image, where the plan says so.
func (b *build) push(ctx context.Context, result *engine.Result) error {
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if s.Push == nil {
			continue
		}
		task := b.runner.o.Display.Start("push " + b.plan.Ref())
		b.results.Begin(s)
		began := now()
		var digest string
		var err error
		if b.runner.o.DockerStore {
			digest, err = b.runner.o.PushStore(ctx, refs(b.plan))
		} else {
			digest, err = b.job.Push.PushLayout(ctx, b.sink.(*layoutSink).Final, b.plan)
		}
		task.Done(err)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			b.results.End(s, engine.Failed, now().Sub(began), &engine.Failure{Message: err.Error()})
			continue
		}
		result.Digest = digest
		b.results.End(s, engine.Done, now().Sub(began), nil)
	}
	return nil
}

// refs are all references that a plan's image is pushed under, its tag first.
func refs(p *pipeline.Plan) []string {
	out := []string{p.Ref()}
	for _, t := range p.Floating {
		out = append(out, p.Image+":"+t)
	}
	return out
}

// noSink is for plans without an image.
type noSink struct{}

func (noSink) config(c []byte) ([]byte, error)          { return c, nil }
func (noSink) finish(map[string]string) (string, error) { return "", nil }

// dockerSink leaves the image in the Docker store.
type dockerSink struct {
	stamp func([]byte) ([]byte, error)
}

func (d dockerSink) config(c []byte) ([]byte, error) { return d.stamp(c) }

// finish returns the image's id: the Docker store of this kind knows no manifest before a
// push makes one.
func (d dockerSink) finish(resp map[string]string) (string, error) {
	for _, key := range []string{"containerimage.config.digest", "containerimage.digest"} {
		if v := resp[key]; v != "" {
			return v, nil
		}
	}
	return "", fmt.Errorf("Docker's BuildKit did not name the image that it built")
}
