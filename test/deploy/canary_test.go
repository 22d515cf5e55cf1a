package deploy

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The values of all secrets that a deploy gets to know are in nothing that it writes: what it
// prints, also of failures; plans, records and specs; files; the command lines of all processes.
func TestNoSecretIsShown(t *testing.T) {
	const registryPassword, fileValue, variableValue = "c4nary-registry-1", "c4nary-file-2", "c4nary-variable-3"
	b := newBedFor(t, map[string]string{"anna": registryPassword})
	key := b.server.UserKey("deploy")
	keyLine := strings.Split(key, "\n")[2]
	b.env = append(b.env, "REGISTRY_USER=anna", "REGISTRY_PASSWORD="+registryPassword, "TOKEN="+variableValue, "SERVER_DIR="+filepath.Join(b.server.Home("deploy"), "stack"))
	c := &canaries{t: t, values: []string{registryPassword, fileValue, variableValue, keyLine}}
	defer c.watchCommandLines()()

	b.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {variables: {TOKEN: env://TOKEN}}}\n")
	b.repo.Write("manifests/dev/password.txt", fileValue)
	b.repo.Write("manifests/dev/settings.txt", "level = 1\n")
	manifest := func(mode, more string) {
		b.manifest(t, "dev", stack(service("web", mode, "secrets: [password, token]", "configs: [settings]", more))+
			"secrets: {password: {file: ./dev/password.txt}, token: {environment: TOKEN}}\nconfigs: {settings: {file: ./dev/settings.txt}}\n")
	}
	plan := filepath.Join(t.TempDir(), "plan.json")
	run := func(code int, env []string, args ...string) {
		t.Helper()
		r := b.with(t, env, args...).Exits(t, code)
		c.look(strings.Join(args, " ")+": stdout", []byte(r.Stdout))
		c.look(strings.Join(args, " ")+": stderr", []byte(r.Stderr))
	}
	manifest("good", "working_dir: /")
	run(0, nil, "deploy:lint", "dev", "-json=true")
	run(0, nil, "deploy:plan", "dev", "-out="+plan)
	run(0, nil, "deploy:plan", "dev", "-json=true")
	run(0, nil, "deploy:env", "dev", "-plan="+plan, "-json=true")
	manifest("sick", "working_dir: /tmp")
	run(3, nil, "deploy:env", "dev")
	manifest("good", "environment: {LEAKED: '${TOKEN}'}")
	run(2, nil, "deploy:env", "dev") // a secret does not go where everybody can read it
	manifest("good2", "working_dir: /tmp")
	run(1, []string{"REGISTRY_PASSWORD=" + fileValue}, "deploy:env", "dev")
	run(1, []string{"SSH_KNOWN_HOSTS=example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8HHWcBKwJSQrNjyqGH+x3cpCFCAOQv1l5U0TmzFs1K"}, "deploy:env", "dev")
	run(1, []string{"SSH_KEY=" + strings.Replace(key, "OPENSSH", "SOMETHING", 1)}, "deploy:env", "dev")
	run(0, nil, "deploy:env", "dev")
	for _, command := range []string{"deploy:status", "deploy:history"} {
		run(0, nil, command, "dev")
		run(0, nil, command, "dev", "-json=true")
	}
	run(0, nil, "deploy:rollback", "dev")

	c.file(plan)
	state := b.state(t)
	for _, x := range state.Configs {
		c.look("config "+x.Spec.Name, x.Spec.Data)
		if z, err := gzip.NewReader(bytes.NewReader(x.Spec.Data)); err == nil {
			text, err := io.ReadAll(z)
			must(t, err)
			c.look("config "+x.Spec.Name+", unpacked", text)
		}
	}
	data, err := json.Marshal(state)
	must(t, err)
	c.look("the Swarm", data)
	c.look("the Docker daemon's log", []byte(b.docker.LogTail(1<<20)))
	copied := 0
	must(t, filepath.WalkDir(b.server.Home("deploy"), func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.Contains(file, ".ssh") {
			copied++
			c.file(file)
		}
		return err
	}))
	if copied < 2 {
		t.Errorf("only %d files were copied to the server", copied)
	}
	run(0, nil, "deploy:remove", "dev", "-yes=true")
}

// canaries are values that must not show.
type canaries struct {
	t      *testing.T
	values []string
}

// look searches a text for the values, as they are and in the encodings that things usually have.
func (c *canaries) look(where string, text []byte) {
	c.t.Helper()
	for _, v := range c.values {
		for _, form := range []string{v, hex.EncodeToString([]byte(v)), base64.StdEncoding.EncodeToString([]byte(v))[:len(v)/3*4]} {
			if bytes.Contains(text, []byte(form)) {
				c.t.Errorf("%s shows the secret %.12s…:\n%s", where, v, text)
			}
		}
	}
}

func (c *canaries) file(name string) {
	c.t.Helper()
	text, err := os.ReadFile(name)
	must(c.t, err)
	c.look(name, text)
}

// watchCommandLines looks at the command lines of all processes until the returned function is
// called, again and again: one that lives for a moment is missed now and then, and not each time.
func (c *canaries) watchCommandLines() (stop func()) {
	end := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, f := range files {
				if text, err := os.ReadFile(f); err == nil {
					c.look(f, text)
				}
			}
			select {
			case <-end:
				return
			default:
			}
		}
	})
	return func() { close(end); done.Wait() }
}
