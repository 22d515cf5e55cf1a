package deploy

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/containerd/console"

	"slipway/test/child"
)

// A person is asked, twice, and what is typed shows nowhere.
func TestSecretSetAsksOnATerminal(t *testing.T) {
	k := keepSecrets(t, newBed(t))
	k.manifest(t, "dev", stack(service("web", "good", "secrets: [pw]"))+"secrets: {pw: {external: true}}\n")
	for _, c := range []struct {
		typed []string
		code  int
		says  string
	}{
		{[]string{canary + " typed", canary + " otherwise"}, 2, "the two are not the same: nothing was written"},
		{[]string{canary + " typed", canary + " typed"}, 0, "created the secret pw"},
	} {
		terminal, slave, err := console.NewPty()
		must(t, err)
		side, err := os.OpenFile(slave, os.O_RDWR, 0)
		must(t, err)
		cmd := exec.Command(binary, "secret:set", "dev", "pw")
		cmd.Dir, cmd.Env = k.repo.Dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, k.env...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
		must(t, cmd.Start())
		must(t, side.Close())
		var screen child.Buffer
		read := make(chan struct{})
		go func() {
			_, _ = io.Copy(&screen, terminal) // until the other side is closed
			close(read)
		}()
		for i, question := range []string{"Value: ", "Once more: "} {
			eventually(t, "it asks "+question, func() bool { return strings.Contains(screen.String(), question) })
			_, err = io.WriteString(terminal, c.typed[i]+"\n")
			must(t, err)
		}
		_ = cmd.Wait() // its exit code says it
		<-read
		must(t, terminal.Close())
		k.note(screen.String())
		result{Args: cmd.Args[1:], Stdout: screen.String(), Code: cmd.ProcessState.ExitCode()}.Exits(t, c.code).Says(t, c.says)
	}
	k.run("", nil, "deploy:env", "dev").Exits(t, 0)
	k.has("repo_dev_web", "pw", canary+" typed")
}
