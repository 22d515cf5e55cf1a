package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"slipway/deploy/manifest"
)

// copyFiles brings the environment's files to the server, where a directory is named for them:
// the manifest, its overrides, and the directory of config files beside it that has the
// environment's name. Other environments' files are not copied, nor are those of secrets.
func (p *place) copyFiles(ctx context.Context, m *manifest.Manifest) error {
	if p.env.Dir == "" {
		return nil
	}
	over, err := p.host.SSH(ctx)
	if err != nil {
		return err
	}
	if over == nil {
		p.warnings = append(p.warnings, "SERVER_DIR is set, but files are copied over SSH only, and "+p.host.Name+" is not reached that way: nothing was copied")
		return nil
	}
	tmp, err := os.MkdirTemp("", "slipway-files-") // 0700
	if err != nil {
		return fmt.Errorf("gathering the files for %s: %w", p.env.Dir, err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := p.gather(m, tmp); err != nil {
		return fmt.Errorf("gathering the files for %s: %w", p.env.Dir, err)
	}
	task := p.show.Start("copying files to " + p.env.Dir)
	_, err = over.CopyDir(ctx, os.DirFS(tmp), p.env.Dir)
	task.Done(err)
	return err
}

func (p *place) gather(m *manifest.Manifest, to string) error {
	root, err := os.OpenRoot(p.tree.Root)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	file, err := manifest.File(root.FS(), p.env.Name)
	if err != nil {
		return err
	}
	files := append([]string{file}, p.env.Settings.Overrides...)
	dir := path.Join(path.Dir(file), p.env.Name)
	err = fs.WalkDir(root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, name)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	var secrets []string
	for _, s := range m.Project.Secrets {
		if s.File != "" {
			secrets = append(secrets, path.Clean(path.Join(path.Dir(file), s.File)), path.Clean(s.File))
		}
	}
	for _, name := range files {
		if slices.Contains(secrets, path.Clean(name)) {
			continue
		}
		if err := copyOut(root, name, filepath.Join(to, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

func copyOut(root *os.Root, name, to string) error {
	data, err := root.ReadFile(name)
	if err != nil {
		return err
	}
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}
