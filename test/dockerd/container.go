package dockerd

import (
	"bytes"
	"testing"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Pull pulls an image, which must succeed.
func (d *Daemon) Pull(t testing.TB, image string) {
	t.Helper()
	response, err := d.Client.ImagePull(t.Context(), image, client.ImagePullOptions{})
	if err != nil {
		t.Fatalf("pulling %s: %v", image, err)
	}
	if err := response.Wait(t.Context()); err != nil {
		t.Fatalf("pulling %s: %v", image, err)
	}
}

// Create makes and starts a container of an image that is there. It is removed with the
// daemon. host may be nil.
func (d *Daemon) Create(t testing.TB, config *container.Config, host *container.HostConfig) (id string) {
	t.Helper()
	created, err := d.Client.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: config, HostConfig: host})
	if err != nil {
		t.Fatalf("making a container of %s: %v", config.Image, err)
	}
	if _, err := d.Client.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatalf("starting a container of %s: %v", config.Image, err)
	}
	return created.ID
}

// Run runs a container to its end and gives what it wrote and its exit code.
func (d *Daemon) Run(t testing.TB, config *container.Config) (output string, exitCode int64) {
	t.Helper()
	id := d.Create(t, config, nil)
	wait := d.Client.ContainerWait(t.Context(), id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case err := <-wait.Error:
		t.Fatalf("waiting for a container of %s: %v", config.Image, err)
	case end := <-wait.Result:
		exitCode = end.StatusCode
	}
	return d.Logs(t, id), exitCode
}

// Logs gives what a container has written so far, both streams in one.
func (d *Daemon) Logs(t testing.TB, id string) string {
	t.Helper()
	logs, err := d.Client.ContainerLogs(t.Context(), id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		t.Fatalf("reading a container's log: %v", err)
	}
	defer logs.Close()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, logs); err != nil {
		t.Fatalf("reading a container's log: %v", err)
	}
	return out.String()
}
