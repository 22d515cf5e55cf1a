package dagger

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	sdk "dagger.io/dagger"

	"slipway/engine/packing"
	"slipway/pipeline"
)

// upload hands the plan's sources to the engine.
func (b *build) upload(ctx context.Context) error {
	for i := range b.plan.Sources {
		src := &b.plan.Sources[i]
		dir := filepath.Join(b.scratch.Path, fmt.Sprintf("source-%d", i))
		if err := stage(ctx, b.job.Root, src, dir); err != nil {
			return fmt.Errorf("preparing the files of %s: %w", b.plan.Service, err)
		}
		b.sources[src.Name] = b.runner.upload(dir)
	}
	return nil
}

func (b *build) source(name string) (*sdk.Directory, error) {
	if dir := b.sources[name]; dir != nil {
		return dir, nil
	}
	return nil, fmt.Errorf("the plan of %s has no source %q", b.plan.Service, name)
}

// stage copies exactly a source's files, with the modes that git knows and times made of
// content, so that two clones of a commit are the same source: Dagger takes a directory's
// modes as they are on disk, and `go test` trusts times.
func stage(ctx context.Context, root string, src *pipeline.Source, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for name, content := range src.Literal {
		if err := write(filepath.Join(to, filepath.FromSlash(name)), []byte(content), 0o644); err != nil {
			return err
		}
	}
	from := filepath.Join(root, filepath.FromSlash(src.Root))
	tree := pipeline.NewTree(os.DirFS(from), src.Files)
	for _, f := range tree.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := stageFile(tree, from, f, filepath.Join(to, filepath.FromSlash(f))); err != nil {
			return fmt.Errorf("%s: %w", path.Join(src.Root, f), err)
		}
	}
	return nil
}

func stageFile(tree *pipeline.Tree, from, name, to string) error {
	hash, kind, err := tree.Sum(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	switch kind {
	case "link":
		target, _ := tree.Link(name)
		return os.Symlink(target, to)
	case "exec":
		mode = 0o755
	}
	in, err := os.Open(filepath.Join(from, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if err := copyTo(to, in, mode); err != nil {
		return err
	}
	at := packing.ContentTime(hash)
	return os.Chtimes(to, at, at)
}

func write(name string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, data, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode) // WriteFile's is subject to the umask
}

func copyTo(name string, in io.Reader, mode os.FileMode) error {
	out, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := out.Chmod(mode); err != nil {
		return err
	}
	return out.Close()
}
