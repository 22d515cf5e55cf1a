package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"slipway/deploy/environment"
	"slipway/pipeline"
	"slipway/reuse"
	"slipway/reuse/kept"
	"slipway/secret"
	"slipway/secret/reference"
)

const (
	signingKeyVar  = "SLIPWAY_SIGNING_KEY"
	trustedKeysVar = "SLIPWAY_TRUSTED_KEYS"
)

// belief says whose word counts for what was built and checked, and who may give theirs here.
type belief struct {
	trusted []reuse.PublicKey // for entries of registries
	signer  *reuse.PrivateKey // nil for none
	unsafe  string            // why the signer must not sign in this run, "" where it may

	// here is this machine's own memory, nil in CI: there one directory serves jobs of merge
	// requests and of main alike, and who may write it is not known. machine is its key, nil
	// where nothing was kept yet.
	here    *kept.Store
	machine *reuse.PrivateKey
}

// nobody tells that no one is believed.
func (b *belief) nobody() bool { return len(b.trusted) == 0 && b.machine == nil }

// signs tells whether what is built can be kept.
func (b *belief) signs() bool { return b.signer != nil || b.here != nil }

// believes reads the keys. What is wrong with them is the person's to mend before anything is
// built.
func (p *project) believes(ctx context.Context, push bool) (*belief, error) {
	b := &belief{}
	if asks, writes := p.reuse != reuseNothing, p.keeps && push; !asks && !writes {
		return b, nil
	}
	vars := environ()
	var err error
	if b.trusted, err = trustedKeys(vars[trustedKeysVar], p.repo.Settings.Trust); err != nil {
		return nil, badInput{err}
	}
	if b.signer, err = signingKey(ctx, vars); err != nil {
		return nil, badInput{err}
	}
	if b.signer != nil {
		b.trusted = append(b.trusted, b.signer.Public)
		b.unsafe = unprotected(vars)
	}
	if inCI(vars) {
		return b, nil
	}
	b.here = kept.Open(p.env.cacheDir)
	if b.machine, err = b.here.Key(false); err != nil {
		warnReuse("what was built here is not reused: %v", err)
		b.here = nil
	}
	return b, nil
}

// inCI tells a job of any CI system, all of which set CI.
func inCI(vars map[string]string) bool {
	for _, name := range []string{"CI", "GITLAB_CI", "GITHUB_ACTIONS"} {
		if v := vars[name]; v != "" && v != "false" && v != "0" {
			return true
		}
	}
	return false
}

// unprotected says why a run must not sign: the CI system says that its branch is one that
// anybody may push to (https://docs.gitlab.com/ci/variables/predefined_variables/,
// https://docs.github.com/en/actions/reference/workflows-and-actions/variables).
func unprotected(vars map[string]string) string {
	for system, name := range map[string]string{"GITLAB_CI": "CI_COMMIT_REF_PROTECTED", "GITHUB_ACTIONS": "GITHUB_REF_PROTECTED"} {
		if vars[system] == "true" && vars[name] == "false" {
			return fmt.Sprintf("what was built is not signed: this job has %s, and its branch is not protected (%s=false). Protect the branch, and give the key to protected branches only", signingKeyVar, name)
		}
	}
	return ""
}

// trustedKeys are those of the variable, else of slipway.yaml.
func trustedKeys(variable string, settings []string) ([]reuse.PublicKey, error) {
	if strings.TrimSpace(variable) != "" {
		keys, err := reuse.ParsePublic(variable)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", trustedKeysVar, err)
		}
		return keys, nil
	}
	var out []reuse.PublicKey
	for i, text := range settings {
		keys, err := reuse.ParsePublic(text)
		if err == nil && len(keys) == 0 {
			err = errors.New("it is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: trust[%d]: %w", pipeline.SettingsFile, i, err)
		}
		out = append(out, keys...)
	}
	return out, nil
}

// signingKey reads the key of SLIPWAY_SIGNING_KEY, nil for none: the key itself, a file with it,
// or a reference.
func signingKey(ctx context.Context, vars map[string]string) (*reuse.PrivateKey, error) {
	value, err := secretVariable(ctx, environment.Vars{All: vars}, signingKeyVar)
	if err != nil || value.Empty() {
		return nil, err
	}
	if !strings.Contains(value.Reveal(), "-----BEGIN") && !reference.Is(vars[signingKeyVar]) {
		name := value.Reveal()
		if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(name, "~/") {
			name = home + name[1:]
		}
		data, err := reference.File(name)
		if err != nil {
			return nil, fmt.Errorf("%s is neither a key in PEM nor a file with one: %w", signingKeyVar, err)
		}
		value = secret.New(string(data))
	}
	key, err := reuse.ParsePrivate(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", signingKeyVar, err)
	}
	return key, nil
}
