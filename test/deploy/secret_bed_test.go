package deploy

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// canary is part of every value of a secret in these tests, but for generated ones.
const canary = "c4n4ry-0f-s3cr3ts"

// keeper keeps watch over secrets: nothing that slipway writes, and no process's arguments, may
// have one.
type keeper struct {
	*bed
	t    testing.TB
	done chan struct{}
	over sync.WaitGroup

	mu      sync.Mutex
	hidden  []string // values that must not come to light
	written strings.Builder
}

func keepSecrets(t testing.TB, b *bed) *keeper {
	k := &keeper{bed: b, t: t, done: make(chan struct{}), hidden: []string{canary}}
	k.over.Go(k.watchArguments)
	t.Cleanup(func() {
		close(k.done)
		k.over.Wait()
		k.nothingShown()
	})
	return k
}

// watchArguments looks at all processes of the machine, those in containers included.
func (k *keeper) watchArguments() {
	for {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range files {
			if line, err := os.ReadFile(f); err == nil {
				k.note(string(line))
			}
		}
		select {
		case <-k.done:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (k *keeper) note(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, h := range k.hidden {
		if strings.Contains(text, h) {
			k.written.WriteString(text + "\n")
			break
		}
	}
}

func (k *keeper) hide(value string) {
	k.t.Helper()
	if len(value) < 8 {
		k.t.Fatalf("%q is no value to look for", value)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hidden = append(k.hidden, value)
}

// nothingShown looks at all that is in the Swarm, and at what was noted.
func (k *keeper) nothingShown() {
	configs, err := k.docker.Client.ConfigList(context.Background(), client.ConfigListOptions{})
	if err == nil {
		for _, c := range configs.Items {
			k.note(string(c.Spec.Data))
			if z, err := gzip.NewReader(bytes.NewReader(c.Spec.Data)); err == nil {
				text, _ := io.ReadAll(z)
				k.note(string(text))
			}
		}
		services, err := k.docker.Client.ServiceList(context.Background(), client.ServiceListOptions{})
		text, fault := json.Marshal(services.Items)
		if err != nil || fault != nil {
			k.t.Errorf("looking at the services: %v %v", err, fault)
		}
		k.note(string(text))
	} else {
		k.t.Errorf("looking at the configs: %v", err)
	}
	if shown := k.written.String(); shown != "" {
		k.t.Errorf("a secret was shown:\n%s", shown)
	}
}

// run runs slipway with something on its standard input.
func (k *keeper) run(stdin string, env []string, args ...string) result {
	k.t.Helper()
	r := k.quiet(stdin, env, args...)
	k.note(r.Stdout)
	k.note(r.Stderr)
	return r
}

// quiet is run for a command that may show a value.
func (k *keeper) quiet(stdin string, env []string, args ...string) result {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Stdin = k.repo.Dir, strings.NewReader(stdin)
	cmd.Env = append(append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + k.t.TempDir()}, k.env...), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its exit code says it
	return result{Args: args, Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// inside runs a command by the shell of a service's container and gives what it wrote.
func (k *keeper) inside(service, command string) string {
	k.t.Helper()
	var id string
	eventually(k.t, service+" runs", func() bool {
		s := k.state(k.t)
		for _, x := range s.Tasks {
			if now := s.Service(service); now != nil && x.ServiceID == now.ID && x.Status.State == swarm.TaskStateRunning && x.DesiredState == swarm.TaskStateRunning {
				id = x.Status.ContainerStatus.ContainerID
			}
		}
		return id != ""
	})
	docker := k.docker.Client
	made, err := docker.ExecCreate(k.t.Context(), id, client.ExecCreateOptions{AttachStdout: true, AttachStderr: true, Cmd: []string{"/bin/sh", "-c", command}})
	must(k.t, err)
	stream, err := docker.ExecAttach(k.t.Context(), made.ID, client.ExecAttachOptions{})
	must(k.t, err)
	defer stream.Close()
	var out bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &out, stream.Reader)
	must(k.t, err)
	return out.String()
}

// has wants a value in a container's secret.
func (k *keeper) has(service, secret, value string) {
	k.t.Helper()
	if got := k.inside(service, "cat /run/secrets/"+secret); got != value {
		k.t.Errorf("the secret %s of %s is %q, want %q", secret, service, got, value)
	}
}

// secretNames are the Swarm's secrets.
func (k *keeper) secretNames() string {
	var out []string
	for _, s := range k.state(k.t).Secrets {
		out = append(out, s.Spec.Name)
	}
	return strings.Join(out, " ")
}

func (k *keeper) wantSecrets(names string) {
	k.t.Helper()
	if got := k.secretNames(); got != names {
		k.t.Errorf("the Swarm has the secrets %q, want %q", got, names)
	}
}
