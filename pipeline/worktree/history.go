package worktree

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"slipway/pipeline"
)

// Tags finds the tag of each service's inputs with one git process. warn gets a sentence
// where the history is too short to know and the remote does not help: HEAD then names
// the service.
func (w *Worktree) Tags(ctx context.Context, inputs map[string]*pipeline.Inputs, warn func(string)) (map[string]pipeline.Tag, error) {
	tags, short, err := w.search(ctx, inputs)
	if err != nil {
		return nil, err
	}
	// First what the remote is configured to give, then HEAD by its hash: a CI system may
	// have checked out a commit that no branch of the remote has, such as a merge request's.
	for _, what := range [][]string{nil, {w.Head}} {
		if len(short) == 0 {
			break
		}
		if w.deepen(ctx, what...) != nil {
			continue
		}
		if tags, short, err = w.search(ctx, inputs); err != nil {
			return nil, err
		}
	}
	if len(short) > 0 {
		for _, name := range short {
			tags[name] = pipeline.Tag{Commit: w.Head}
		}
		warn(fmt.Sprintf("this clone's history is too short to know which commit last changed %s, and the remote did not give more: HEAD names it. "+
			"Fetch all history in CI (GIT_DEPTH: 0, or fetch-depth: 0).", strings.Join(short, ", ")))
	}
	var commits []string
	for _, t := range tags {
		commits = append(commits, t.Commit)
	}
	times, err := w.times(ctx, commits)
	if err != nil {
		return nil, err
	}
	b := w.blobs(ctx)
	defer b.close()
	dirty := pipeline.Affected(inputs, w.uncommitted(), b.read)
	for name := range inputs {
		t := tags[name]
		t.Time = times[t.Commit]
		t.Dirty = len(dirty[name]) > 0
		tags[name] = t
	}
	return tags, nil
}

// search walks the history. short names the services whose search met the history's cut.
func (w *Worktree) search(ctx context.Context, inputs map[string]*pipeline.Inputs) (tags map[string]pipeline.Tag, short []string, err error) {
	cut, err := w.cuts(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, isShort := map[string]*pipeline.Tag{}, map[string]*bool{}
	b := w.blobs(ctx)
	defer b.close()
	h, uncommitted := pipeline.NewHistory(w.Head, b.read), w.uncommitted()
	for name, in := range inputs {
		found[name], isShort[name] = &pipeline.Tag{}, new(bool)
		h.Find(w.Head, in, uncommitted, found[name], isShort[name])
	}
	if err := w.walk(ctx, cut, h); err != nil {
		return nil, nil, fmt.Errorf("reading the history of %s: %w", w.Root, err)
	}
	tags = map[string]pipeline.Tag{}
	for name, t := range found {
		tags[name] = *t
		if *isShort[name] {
			short = append(short, name)
		}
	}
	return tags, sorted(short), nil
}

// walk feeds commits until every search has ended.
func (w *Worktree) walk(ctx context.Context, cut map[string]bool, h *pipeline.History) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// -m lists a merge once for each parent that it differs from, and the oneline format
	// alone names that parent: "HASH PARENT… (from PARENT) subject". What a user's
	// configuration could change of the output is said explicitly.
	cmd := command(ctx, w.Root, "-c", "log.diffMerges=separate", "log", "--topo-order", "-m", "--root", "--no-renames", "--raw", "--no-abbrev", "-z",
		"--ignore-submodules=none", "--pretty=oneline", "--parents", "--no-abbrev-commit", "--no-color", "--no-decorate", "--no-show-signature", w.Head, "--")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	err = w.readLog(bufio.NewReaderSize(out, 1<<16), cut, h)
	stop() // what is left of the history is of no interest
	if werr := cmd.Wait(); err == nil && !h.Done() {
		return errors.Join(fmt.Errorf("git log ended early: %s", strings.TrimSpace(stderr.String())), werr)
	}
	return err
}

// times returns the committer times of commits.
func (w *Worktree) times(ctx context.Context, commits []string) (map[string]time.Time, error) {
	args := append([]string{"show", "-s", "--no-color", "--no-show-signature", "--format=%H %ct"}, commits...)
	out, err := git(ctx, w.Root, append(args, "--")...) // a file may be named like a commit
	if err != nil {
		return nil, fmt.Errorf("reading the times of commits in %s: %w", w.Root, err)
	}
	times := map[string]time.Time{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		hash, at, _ := strings.Cut(line, " ")
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("unexpected line %q of git show", line)
		}
		times[hash] = time.Unix(seconds, 0).UTC()
	}
	return times, nil
}

// cuts are the commits at which a shallow clone ends.
func (w *Worktree) cuts(ctx context.Context) (map[string]bool, error) {
	if !w.Shallow {
		return nil, nil
	}
	out, err := git(ctx, w.Root, "rev-parse", "--git-path", "shallow")
	if err != nil {
		return nil, err
	}
	file := strings.TrimSpace(string(out))
	if !filepath.IsAbs(file) {
		file = filepath.Join(w.Root, file)
	}
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading where the shallow history ends: %w", err)
	}
	cut := map[string]bool{}
	for _, c := range strings.Fields(string(data)) {
		cut[c] = true
	}
	return cut, nil
}

// deepenTimeout bounds the wait for a remote that may not answer at all.
const deepenTimeout = 2 * time.Minute

func (w *Worktree) deepen(ctx context.Context, what ...string) error {
	ctx, cancel := context.WithTimeout(ctx, deepenTimeout)
	defer cancel()
	// A depth beyond any history (git's own "infinite") and not --unshallow, which fails
	// where the first attempt completed the repository without completing HEAD's history.
	args := append([]string{"fetch", "--quiet", "--depth=2147483647", "--no-tags", "origin"}, what...)
	if _, err := git(ctx, w.Root, args...); err != nil {
		return err
	}
	out, err := git(ctx, w.Root, "rev-parse", "--is-shallow-repository")
	w.Shallow = strings.TrimSpace(string(out)) != "false"
	return err
}
