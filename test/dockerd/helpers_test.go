package dockerd_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
)

// eventually tries until there is no error, for at most half a minute.
func eventually(t *testing.T, try func() (string, error)) string {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(30 * time.Second)
	for {
		got, err := try()
		if err == nil {
			return got
		}
		select {
		case <-deadline:
			t.Fatalf("still after half a minute: %v", err)
		case <-again.C:
		}
	}
}

func get(web *http.Client, url string) (string, error) {
	answer, err := web.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func running(t *testing.T, d *dockerd.Daemon, id string) error {
	t.Helper()
	found, err := d.Client.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	if !found.Container.State.Running {
		return fmt.Errorf("the container is %s", found.Container.State.Status)
	}
	return nil
}

func portSet(port string) network.PortSet {
	return network.PortSet{network.MustParsePort(port): {}}
}

func portBinding(port, host string) network.PortMap {
	return network.PortMap{network.MustParsePort(port): {{HostPort: host}}}
}
