package baseimage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"slipway/test/aptget"
)

// suite names this machine's Debian release: "bookworm".
func suite() (string, error) {
	const file = "/etc/os-release" // os-release(5)
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading which Debian this is: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VERSION_CODENAME="); ok {
			return strings.Trim(strings.TrimSpace(value), `"'`), nil
		}
	}
	return "", fmt.Errorf("%s names no VERSION_CODENAME: base images for tests are made on a release of Debian", file)
}

// sources gives lines for a sources.list: those of this machine that Debian signs, for
// this release. Others (vendors' repositories) have no place in a base image.
func sources(ctx context.Context, suite string) ([]string, error) {
	lines, err := listSources(ctx, suite)
	if err == nil && len(lines) == 0 {
		// apt knows a source's origin only once it has fetched its lists.
		if err := aptget.Update(ctx); err != nil {
			return nil, err
		}
		lines, err = listSources(ctx, suite)
	}
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("apt's sources have none of Debian %s; see /etc/apt", suite)
	}
	return lines, nil
}

func listSources(ctx context.Context, suite string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(ORIGIN) $(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return nil, fmt.Errorf("asking apt for its sources: %w", err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		field := strings.Fields(line)
		if len(field) == 4 && field[0] == "Debian" && strings.HasPrefix(field[1], suite) {
			lines = append(lines, fmt.Sprintf("deb %s %s %s", field[3], field[1], field[2]))
		}
	}
	return lines, nil
}

// proxies gives apt's own settings for reaching its sources, as lines of an apt.conf.
func proxies(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "apt-config", "dump", "Acquire").Output()
	if err != nil {
		return nil, fmt.Errorf("asking apt for its proxy: %w", err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if name, _, _ := strings.Cut(line, " "); strings.Contains(strings.ToLower(name), "::proxy") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines, nil
}
