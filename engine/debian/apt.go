package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"slipway/progress"
)

// ErrNoApt is wrapped by the error where there is no apt; it says what to do instead.
var ErrNoApt = errors.New("this machine has no apt-get and dpkg-deb, so it is not a Debian or Ubuntu; " +
	"install the program with this system's own package manager so that it is on PATH, or use another engine (SLIPWAY_ENGINE=docker or dagger)")

// apt runs the machine's apt-get without touching the machine's state.
type apt struct {
	arch  string // Debian's name
	work  string // temporary, empty at first
	state string // kept: package lists of our own, fetched where the system's do not serve
}

// download brings one .deb per package into the work directory: by the system's package
// lists where they are there and good, else by lists of our own. A fresh machine has none,
// old ones name files that the mirror has dropped, and only root may renew them.
func (a apt) download(ctx context.Context, task progress.Task, packages []string) ([]string, error) {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, ErrNoApt
		}
	}
	system, err := a.config("system.conf", "")
	if err != nil {
		return nil, err
	}
	debs, _, err := a.get(ctx, system, packages)
	if err == nil || ctx.Err() != nil {
		return debs, err
	}

	task.Log("the system's package lists do not serve; fetching lists of our own")
	if err := os.MkdirAll(filepath.Join(a.state, "lists", "partial"), 0o755); err != nil {
		return nil, fmt.Errorf("making a directory for package lists: %w", err)
	}
	own, err := a.config("own.conf", fmt.Sprintf("Dir::State %q;\nDir::State::lists %q;\n", a.state, filepath.Join(a.state, "lists")))
	if err != nil {
		return nil, err
	}
	// The status of update is not looked at: it is an error where one mirror of many does
	// not answer, and none where all do not. What counts is whether the packages come.
	updated, _ := run(ctx, a.work, "apt-get", "-c", own, "-q", "update")
	debs, out, err := a.get(ctx, own, packages)
	if err != nil && ctx.Err() == nil {
		return nil, explain(packages, updated, out, err)
	}
	return debs, err
}

// get returns the .deb files, or apt's output with the error.
func (a apt) get(ctx context.Context, config string, packages []string) (debs []string, out string, err error) {
	args := append([]string{"-c", config, "-q", "download", "--"}, packages...)
	if out, err = run(ctx, a.work, "apt-get", args...); err != nil {
		return nil, out, err
	}
	for _, name := range packages {
		// apt takes a name that it does not know for a regular expression, if it looks like one.
		found, _ := filepath.Glob(filepath.Join(a.work, name+"_*.deb"))
		if len(found) != 1 {
			return nil, out, fmt.Errorf("apt-get brought no file for %s", name)
		}
		debs = append(debs, found[0])
	}
	return debs, out, nil
}

// config writes an apt.conf, which apt reads after the machine's own.
func (a apt) config(name, more string) (string, error) {
	status := filepath.Join(a.work, "status")
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return "", fmt.Errorf("preparing apt: %w", err)
	}
	// An empty status file: an installed version that no mirror has would else be chosen.
	// Hooks are cleared since Docker's base images delete the system's cache in one.
	// The sandbox user could not write below a home directory.
	text := fmt.Sprintf(`APT::Architecture %q;
#clear APT::Architectures;
APT::Architectures { %q; };
Dir::State::status %q;
Dir::Cache %q;
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
Acquire::Languages "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
%s`, a.arch, a.arch, status, a.work, more)
	file := filepath.Join(a.work, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return "", fmt.Errorf("preparing apt: %w", err)
	}
	return file, nil
}

// explain tells a mirror that does not answer from a package that does not exist.
func explain(packages []string, updated, out string, err error) error {
	both := updated + out
	if strings.Contains(both, "No space left on device") {
		return fmt.Errorf("the disk is full; free some space and run again\n%s", tail(both))
	}
	if strings.Contains(both, "Failed to fetch") || strings.Contains(both, "Could not resolve") {
		return fmt.Errorf("the package mirrors of /etc/apt do not answer; check the network, the proxy settings and `apt-get update`\n%s", tail(both))
	}
	for _, name := range packages {
		if strings.Contains(out, "Unable to locate package "+name) || strings.Contains(out, "Can't select candidate version from package "+name) ||
			strings.Contains(out, "Can't find a source to download") || strings.Contains(out, "brought no file for "+name) {
			return fmt.Errorf("the package mirrors of /etc/apt have no package %s; check its name, and that /etc/apt names a mirror that has it\n%s", name, tail(out))
		}
	}
	return fmt.Errorf("%w\n%s", err, tail(both))
}

// run starts a program in dir and returns what it wrote, stdout and stderr together.
func run(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.WaitDelay = 5 * time.Second // apt's download methods hold the pipe a moment longer
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	} else if err != nil {
		err = fmt.Errorf("%s: %w", program, err)
	}
	return out.String(), err
}

// tail keeps the lines in which apt says what is wrong, the last few at most.
func tail(out string) string {
	var said []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "E:") || strings.HasPrefix(line, "W:") || strings.HasPrefix(line, "Err:") || strings.HasPrefix(line, "dpkg-deb:") {
			said = append(said, "  "+line)
		}
	}
	return strings.Join(said[max(0, len(said)-6):], "\n")
}
