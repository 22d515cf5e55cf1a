package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

// A manifest of somebody else's reads nothing outside of its repository, gets nothing of the nodes
// that was not allowed by name, and gives the terminal that shows its mistakes no orders.
func TestAManifestReachesNothingOutside(t *testing.T) {
	t.Parallel()
	repo := gitrepo.New(t)
	outside := filepath.Join(t.TempDir(), "outside.txt")
	must(t, os.WriteFile(outside, []byte("c4nary: of another's\n"), 0o600))
	repo.Write("slipway.yaml", "project: repo\nenvironments: {allowed: {mounts: [/var/run/docker.sock]}, override: {overrides: [manifests/link.yaml]}}\n")
	repo.Write("inside.txt", "inside\n")
	link := func(name, to string) {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(repo.Dir, name)), 0o755))
		must(t, os.Symlink(to, filepath.Join(repo.Dir, name)))
	}
	link("manifests/link.txt", outside)
	link("manifests/dir", filepath.Dir(outside))
	link("manifests/link.yaml", outside)
	link("manifests/docker-compose.whole.yaml", outside)
	link("manifests/inside.txt", "../inside.txt")
	repo.Commit("Links", gitrepo.Epoch)
	web := func(more string) string {
		return "services:\n  web:\n    image: example/web:1\n    healthcheck: {disable: true}\n    " + more + "\n"
	}
	config := func(file string) string { return web("configs: [a]") + "configs: {a: {file: " + file + "}}\n" }
	const at = "manifests/docker-compose."
	for env, c := range map[string]struct {
		text, says string
		code       int
	}{
		"link":      {config("./link.txt"), at + "link.yaml:6: error: configs.a.file: ./link.txt cannot be read: path escapes from parent", 2},
		"dir":       {config("./dir/outside.txt"), "./dir/outside.txt cannot be read: path escapes from parent", 2},
		"up":        {config("../../../../../../../../etc/passwd"), at + "up.yaml:6: error: configs.a.file: ../../../../../../../../etc/passwd lies outside the repository", 2},
		"absolute":  {config(outside), "is an absolute path", 2},
		"secret":    {web("secrets: [a]") + "secrets: {a: {file: ./link.txt}}\n", "secrets.a.file: ./link.txt cannot be read", 2},
		"variables": {web("env_file: ./link.txt"), "./link.txt cannot be read", 2},
		"override":  {web(""), "manifests/link.yaml", 2},
		"whole":     {"", "docker-compose.whole.yaml", 2},
		"inside":    {config("./inside.txt"), "can be deployed", 0},
		"socket":    {web("volumes: ['/var/run/docker.sock:/s:ro']"), at + "socket.yaml:5: error: services.web.volumes: /var/run/docker.sock is what the Docker daemon takes orders on", 2},
		"root":      {web("volumes: ['/:/host:ro']"), "allow it by name in slipway.yaml: environments.root.mounts: [/:ro]", 2},
		"allowed":   {web("volumes: ['/var/run/docker.sock:/s']"), "can be deployed", 0},
		"orders":    {"services:\n  \"\\e]0;x\\a\\e[2J\": {image: a}\n", `services.\x1b]0;x\a\x1b[2J`, 2},
	} {
		if c.text != "" {
			repo.Write(at+env+".yaml", c.text)
		}
		b := &bed{repo: repo, env: []string{"SLIPWAY_HOME=" + home}}
		r := b.slipway(t, "deploy:lint", env)
		said := r.Stdout + r.Stderr
		if r.Code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", env, r.Code, c.code, c.says, said)
		}
		if strings.Contains(said, "c4nary") || strings.ContainsAny(said, "\x1b\a") {
			t.Errorf("%s: it shows what it must not: %q", env, said)
		}
	}
}
