package buildkit

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"slipway/engine"
	"slipway/pipeline"
)

var _ engine.Looker = (*Runner)(nil)

// MayLook implements engine.Looker.
func (r *Runner) MayLook() {}

// failedStep is what a look into a failed step needs: the attempt that failed with a verdict,
// or BuildKit's error.
type failedStep struct {
	attempt string
	err     error
}

func (b *build) remember(s *pipeline.Step, attempt string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == nil {
		b.failed = map[string]failedStep{}
	}
	b.failed[s.ID] = failedStep{attempt, err}
}

// look opens a shell in the first failed step. Its files live as long as this build.
func (b *build) look(ctx context.Context, gw gateway.Client) {
	sh := b.job.Shell
	if sh == nil || sh.Opened {
		return
	}
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if !b.results.Is(s.ID, engine.Failed) {
			continue
		}
		b.mu.Lock()
		how := b.failed[s.ID]
		b.mu.Unlock()
		sh.Opened = true
		if err := b.open(ctx, gw, s, how); err != nil {
			sh.Trouble = fmt.Errorf("opening a shell in %s: %w", s.Name, err)
		}
		return
	}
}

func (b *build) open(ctx context.Context, gw gateway.Client, s *pipeline.Step, how failedStep) error {
	caps := gw.BuildOpts().Caps
	if caps.Supports(gwpb.CapGatewayExec) != nil {
		return fmt.Errorf("%s cannot do that: use SLIPWAY_ENGINE=embedded", b.runner.o.Name)
	}
	exec, mounts, err := b.left(ctx, gw, s, how)
	if err != nil {
		return err
	}
	ctr, err := gw.NewContainer(ctx, gateway.NewContainerRequest{Mounts: mounts, NetMode: exec.Network, Platform: &pb.Platform{OS: b.graph.platform.OS, Architecture: b.graph.platform.Architecture}})
	if err != nil {
		return errors.New(plainMessage(err))
	}
	defer func() { _ = ctr.Release(context.WithoutCancel(ctx)) }()
	sh := b.job.Shell
	if sh.Opens != nil {
		defer sh.Opens(s, exec.Meta.Cwd)()
	}
	env := append(exec.Meta.Env[:len(exec.Meta.Env):len(exec.Meta.Env)], "PS1=\\w # ")
	if term := os.Getenv("TERM"); sh.TTY && term != "" {
		env = append(env, "TERM="+term)
	}
	p, err := ctr.Start(ctx, gateway.StartRequest{
		Args: []string{"/bin/sh"}, Env: env, User: exec.Meta.User, Cwd: exec.Meta.Cwd, SecurityMode: exec.Security,
		Tty: sh.TTY, Stdin: sh.In, Stdout: sh.Out, Stderr: sh.Err,
	})
	if err != nil {
		return errors.New(plainMessage(err))
	}
	ended := make(chan struct{})
	defer close(ended)
	go resize(ctx, p, sh.Sizes, ended)
	var exit *gwpb.ExitError
	switch err := p.Wait(); {
	case errors.As(err, &exit) && exit.ExitCode != gwpb.UnknownExitStatus:
		return nil // as the last command in it ended
	case err != nil:
		return fmt.Errorf("%s. Has its image a /bin/sh?", plainMessage(err))
	}
	return nil
}

func resize(ctx context.Context, p gateway.ContainerProcess, sizes <-chan engine.Size, ended <-chan struct{}) {
	for {
		select {
		case s := <-sizes:
			_ = p.Resize(ctx, gateway.WinSize{Rows: s.Rows, Cols: s.Columns}) // it looks worse, and works
		case <-ended:
			return
		}
	}
}

// left is the command that failed, and the mounts that it had with all that it wrote into them.
func (b *build) left(ctx context.Context, gw gateway.Client, s *pipeline.Step, how failedStep) (*pb.ExecOp, []gateway.Mount, error) {
	if how.err == nil {
		return b.leftByVerdict(ctx, gw, s, how.attempt)
	}
	var failure *errdefs.SolveError
	if !errors.As(how.err, &failure) || failure.Op.GetExec() == nil {
		return nil, nil, errors.New("what failed in it is no command, so there is no container of it")
	}
	exec := failure.Op.GetExec()
	var mounts []gateway.Mount
	for i, m := range exec.Mounts {
		out := mountLike(m)
		if i < len(failure.MountIDs) {
			out.ResultID = failure.MountIDs[i]
		}
		mounts = append(mounts, out)
	}
	return exec, mounts, nil
}

// leftByVerdict is for a command that wrote its own failure down: to BuildKit it succeeded, and
// its outputs can be had by asking for them.
func (b *build) leftByVerdict(ctx context.Context, gw gateway.Client, s *pipeline.Step, attempt string) (*pb.ExecOp, []gateway.Mount, error) {
	es, err := b.graph.exec(s, attempt)
	if err != nil {
		return nil, nil, err
	}
	def, err := es.Root().Marshal(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("drawing step %s: %w", s.ID, err)
	}
	exec, err := lastExec(def)
	if err != nil {
		return nil, nil, err
	}
	var mounts []gateway.Mount
	for _, m := range exec.Mounts {
		out := mountLike(m)
		if m.MountType == pb.MountType_BIND {
			st := es.Root()
			if m.Dest != pb.RootMount {
				st = es.GetMount(m.Dest)
			}
			if out.Ref, err = refOf(ctx, gw, st); err != nil {
				return nil, nil, err
			}
			out.Selector = "" // the output is what was selected
		}
		mounts = append(mounts, out)
	}
	return exec, mounts, nil
}

func mountLike(m *pb.Mount) gateway.Mount {
	return gateway.Mount{Selector: m.Selector, Dest: m.Dest, Readonly: m.Readonly, MountType: m.MountType, CacheOpt: m.CacheOpt, SecretOpt: m.SecretOpt, SSHOpt: m.SSHOpt}
}

func refOf(ctx context.Context, gw gateway.Client, st llb.State) (gateway.Reference, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	res, err := gw.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), Evaluate: true})
	if err != nil {
		return nil, errors.New(plainMessage(err))
	}
	return res.SingleRef()
}

// lastExec is the command that a definition ends with.
func lastExec(def *llb.Definition) (*pb.ExecOp, error) {
	for i := len(def.Def) - 1; i >= 0; i-- {
		var op pb.Op
		if err := op.UnmarshalVT(def.Def[i]); err != nil {
			return nil, fmt.Errorf("reading what was drawn: %w", err)
		}
		if exec := op.GetExec(); exec != nil {
			return exec, nil
		}
	}
	return nil, errors.New("it runs no command")
}
