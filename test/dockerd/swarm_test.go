package dockerd_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
)

func TestTwoDaemonsEachHaveASwarmOfTheirOwn(t *testing.T) {
	before := machine(t)
	mirror := baseimage.Mirror(t, alpine)
	names := map[string]*dockerd.Daemon{}
	for _, name := range []string{"one", "two"} {
		d := dockerd.Start(t, dockerd.Options{Mirrors: []string{mirror.Host}})
		if _, err := d.Client.SwarmInit(t.Context(), client.SwarmInitOptions{
			ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1",
		}); err != nil {
			t.Fatalf("making %s a swarm: %v", name, err)
		}
		overlay, err := d.Client.NetworkCreate(t.Context(), "net", client.NetworkCreateOptions{Driver: "overlay"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Client.ServiceCreate(t.Context(), client.ServiceCreateOptions{Spec: swarm.ServiceSpec{
			Annotations:  swarm.Annotations{Name: name},
			EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR},
			TaskTemplate: swarm.TaskSpec{
				ContainerSpec: &swarm.ContainerSpec{Image: alpine, Command: []string{"sleep", "1000"}},
				Networks:      []swarm.NetworkAttachmentConfig{{Target: overlay.ID}},
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		names[name] = d
	}
	for name, d := range names {
		eventually(t, func() (string, error) { return "", onlyTaskRuns(t, d, name) })
	}
	if after := machine(t); !slices.Equal(before, after) {
		t.Errorf("the machine's own Docker directories held %v and hold %v", before, after)
	}
}

// machine lists what a Docker daemon of the machine's own would own.
func machine(t *testing.T) (files []string) {
	t.Helper()
	for _, dir := range []string{"/etc/docker", "/var/lib/docker", "/run/docker", "/run/containerd"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && path != dir {
				files = append(files, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return files
}

// onlyTaskRuns wants one service, of this name, with a running task.
func onlyTaskRuns(t *testing.T, d *dockerd.Daemon, name string) error {
	t.Helper()
	services, err := d.Client.ServiceList(t.Context(), client.ServiceListOptions{})
	if err != nil || len(services.Items) != 1 || services.Items[0].Spec.Name != name {
		t.Fatalf("the swarm of %s has %v (%v)", name, services.Items, err)
	}
	tasks, err := d.Client.TaskList(t.Context(), client.TaskListOptions{})
	if err != nil {
		return err
	}
	err = errors.New("there is no task yet")
	for _, task := range tasks.Items {
		if task.Status.State == swarm.TaskStateRunning {
			return nil
		}
		err = fmt.Errorf("task %s: %s %s", task.Status.State, task.Status.Message, task.Status.Err)
	}
	return err
}
