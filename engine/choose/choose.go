// Package choose opens the engine that a setting names, or the first that is there.
package choose

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/client"

	"slipway/engine"
	"slipway/engine/buildkit"
	"slipway/engine/dagger"
	"slipway/engine/display"
	"slipway/engine/docker"
	"slipway/engine/embedded"
)

// Options say which engine, and what it needs.
type Options struct {
	// Setting is $SLIPWAY_ENGINE: "dagger", "docker", "embedded", a BuildKit address such as
	// "tcp://host:1234", or "" for the first that is there.
	Setting      string
	DockerHost   string // $DOCKER_HOST
	CacheDir     string
	ServerSource string   // the module of the embedded engine's server
	Mirrors      []string // of docker.io
	Display      *display.Display
	Auth         func(host string) (types.AuthConfig, error)
}

// answerTimeout bounds the wait for an engine that was named and may not be there.
const answerTimeout = 10 * time.Second

// Open opens the engine. The caller closes it.
func Open(ctx context.Context, o Options) (engine.Engine, error) {
	if err := Valid(o.Setting); err != nil {
		return nil, err
	}
	switch {
	case o.Setting == "embedded":
		return o.embedded(ctx)
	case o.Setting == "docker":
		return o.docker(ctx, true)
	case o.Setting == "dagger":
		return o.dagger(ctx, dagger.Patience)
	case o.Setting != "":
		return o.remote(ctx)
	}
	if dagger.There(ctx) {
		if e, err := o.dagger(ctx, answerTimeout); err == nil {
			return e, nil
		}
	}
	if o.DockerHost != "" || exists("/var/run/docker.sock") {
		if e, err := o.docker(ctx, false); err == nil && e != nil {
			return e, nil
		}
	}
	return o.embedded(ctx)
}

// Valid says what is wrong with a setting (see Options), nil where nothing is. Whether an
// engine answers is another question.
func Valid(setting string) error {
	switch {
	case setting == "", setting == "embedded", setting == "docker", setting == "dagger", strings.Contains(setting, "://"):
		return nil
	}
	return fmt.Errorf("SLIPWAY_ENGINE=%s names no engine: use dagger, docker, embedded, or a BuildKit address such as tcp://host:1234 or unix:///run/buildkit/buildkitd.sock", setting)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (o Options) runner(name string) buildkit.Options {
	return buildkit.Options{
		Name: name, Warm: true, Parallel: max(2, runtime.NumCPU()), CacheDir: o.CacheDir, Display: o.Display, Auth: o.Auth,
	}
}

func (o Options) embedded(ctx context.Context) (engine.Engine, error) {
	s, err := embedded.Start(ctx, embedded.Options{CacheDir: o.CacheDir, ServerSource: o.ServerSource, Mirrors: o.Mirrors, Report: o.Display})
	if err != nil {
		return nil, err
	}
	c, err := client.New(ctx, s.Addr)
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("connecting to the embedded engine at %s: %w", s.Addr, err)
	}
	r := o.runner("embedded BuildKit")
	r.Mirrors, r.OnClose = o.Mirrors, s.Close
	r.Warm, r.OnWarm = warmth(filepath.Join(o.CacheDir, "buildkit", "warm"))
	return buildkit.New(c, r), nil
}

// warmth remembers, beside the state of the embedded engine, that a build has filled its
// caches.
func warmth(mark string) (warm bool, onWarm func()) {
	return exists(mark), func() { _ = os.WriteFile(mark, nil, 0o644) } // not remembered is only slower
}

func (o Options) docker(ctx context.Context, asked bool) (engine.Engine, error) {
	tctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	d, err := docker.Dial(tctx, o.DockerHost)
	if err != nil {
		return nil, err
	}
	if !asked && !d.Recent() {
		return nil, d.Close()
	}
	r := o.runner("Docker " + d.Version)
	if r.HostNetwork, err = d.Bridgeless(tctx); err != nil {
		_ = d.Close()
		return nil, err
	}
	c, err := d.BuildKit(ctx)
	if err != nil {
		_ = d.Close()
		return nil, err
	}
	r.DockerStore, r.OnClose = true, d.Close
	r.PushStore = func(ctx context.Context, refs []string) (string, error) { return d.Push(ctx, refs, o.Auth) }
	if r.ImageMirrors = o.Mirrors; len(o.Mirrors) > 0 && !d.Recent() {
		r.ImageMirrors = nil // its Dockerfile frontend does not know named contexts
		o.Display.Start("Docker " + d.Version + " cannot be given REGISTRY_MIRROR: it uses the registry-mirrors of its own daemon.json").Done(nil)
	}
	return buildkit.New(c, r), nil
}

func (o Options) dagger(ctx context.Context, wait time.Duration) (engine.Engine, error) {
	c, err := dagger.Connect(ctx, o.Display, wait)
	if err != nil {
		return nil, err
	}
	e, err := dagger.New(ctx, c, dagger.Options{
		Parallel: max(2, runtime.NumCPU()), CacheDir: o.CacheDir, Report: o.Display, Auth: o.Auth, OnClose: c.Close,
	})
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	if len(o.Mirrors) > 0 {
		o.Display.Start("Dagger cannot be given REGISTRY_MIRROR: it uses the registries of its engine's own engine.json").Done(nil)
	}
	return e, nil
}

func (o Options) remote(ctx context.Context) (engine.Engine, error) {
	c, err := client.New(ctx, o.Setting)
	if err != nil {
		return nil, fmt.Errorf("SLIPWAY_ENGINE=%s: %w", o.Setting, err)
	}
	tctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if _, err := c.ListWorkers(tctx); err != nil {
		_ = c.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("SLIPWAY_ENGINE=%s: no BuildKit answers there: %w. Check the address, or unset it to use an engine on this machine", o.Setting, err)
	}
	r := o.runner("BuildKit at " + o.Setting)
	r.ImageMirrors = o.Mirrors
	return buildkit.New(c, r), nil
}
