package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"slipway/pipeline"
	"slipway/reuse"
)

// ciKeys makes the pair of keys by which protected runs sign what they built.
func ciKeys(_ context.Context, in input) error {
	file := in.flags["out"]
	if file == "" {
		return badInput{errors.New("-out=FILE says where the private key goes: a new file outside of the repository")}
	}
	private, public, err := reuse.Generate()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return badInput{fmt.Errorf("-out=%s: there is such a file, and keys are not replaced: name another", file)}
	}
	if err != nil {
		return badInput{fmt.Errorf("-out=%s: %w", file, err)}
	}
	_, err = f.WriteString(private.Reveal())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the private key: %w", err)
	}
	fmt.Fprintf(os.Stderr, `slipway: the private key is in %s. Keep it where protected branches alone get it, as %s:
slipway: GitLab: Settings, CI/CD, Variables, type File, protected. GitHub: an environment's secret, for protected branches
slipway: the public key belongs into %s, below trust:
`, file, signingKeyVar, pipeline.SettingsFile)
	fmt.Println(public)
	return nil
}
