package dev

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"slipway/progress"
)

// Names in the machine's Docker. There is one system at a time, so that they are fixed.
const (
	registryName  = "slipway-dev-registry" // of the container, its image and its volume
	registryImage = registryName + ":latest"
	inside        = "5000/tcp"
)

// Ports of 127.0.0.1 that the registry is tried on, unless one is asked for.
const (
	firstPort = 5055
	ports     = 10
)

// Registry starts the registry, or finds the one that runs, and gives its address, the same for
// this machine and its Docker. source is slipway's own, port 0 for any.
func Registry(ctx context.Context, docker *client.Client, project, source string, port int, show progress.Reporter) (address string, err error) {
	task := show.Start("starting the registry")
	defer func() { task.Done(err) }()
	there, err := docker.ContainerInspect(ctx, registryName, client.ContainerInspectOptions{})
	switch {
	case err == nil && there.Container.State.Running && (port == 0 || address127(there.Container.HostConfig.PortBindings) == loopback(port)):
		address = address127(there.Container.HostConfig.PortBindings)
		return address, answers(ctx, address)
	case err == nil: // it was broken off, or has another port
		if err := removeRegistry(ctx, docker); err != nil {
			return "", err
		}
	case !errdefs.IsNotFound(err):
		return "", fmt.Errorf("looking for the registry of dev:up: %w", err)
	}
	if err := imageOf(ctx, docker, project, source, task); err != nil {
		return "", err
	}
	if _, err := docker.VolumeCreate(ctx, client.VolumeCreateOptions{Name: registryName, Labels: map[string]string{Label: project}}); err != nil {
		return "", fmt.Errorf("making a volume for the registry: %w", err)
	}
	from, to := firstPort, firstPort+ports
	if port != 0 {
		from, to = port, port+1
	}
	for p := from; p < to; p++ {
		err := start(ctx, docker, project, p)
		if err == nil {
			return loopback(p), answers(ctx, loopback(p))
		}
		if fault := removeRegistry(ctx, docker); fault != nil || !taken(err) {
			return "", errors.Join(fmt.Errorf("starting the registry: %w", err), fault)
		}
	}
	return "", fmt.Errorf("starting the registry: the ports %d to %d of 127.0.0.1 are taken: name a free one with -port", from, to-1)
}

// Address is where the registry is looked for first; port 0 for any.
func Address(port int) string { return loopback(cmp.Or(port, firstPort)) }

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// taken tells Docker's words for a port that somebody else has (libnetwork, portallocator and
// portmapper; the last is Docker Desktop's).
func taken(err error) bool {
	for _, words := range []string{"already allocated", "already in use", "not available"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

func start(ctx context.Context, docker *client.Client, project string, port int) error {
	made, err := docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name:   registryName,
		Config: &container.Config{Image: registryImage, Labels: map[string]string{Label: project}},
		HostConfig: &container.HostConfig{
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyUnlessStopped}, // it comes back with Docker
			PortBindings:  network.PortMap{network.MustParsePort(inside): {{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: strconv.Itoa(port)}}},
			Mounts:        []mount.Mount{{Type: mount.TypeVolume, Source: registryName, Target: "/data"}},
			CapDrop:       []string{"ALL"}, ReadonlyRootfs: true,
		},
	})
	if err != nil {
		return err
	}
	_, err = docker.ContainerStart(ctx, made.ID, client.ContainerStartOptions{})
	return err
}

func address127(bound network.PortMap) string {
	for _, b := range bound[network.MustParsePort(inside)] {
		return "127.0.0.1:" + b.HostPort
	}
	return ""
}

// answers waits until the registry does, on this machine's side.
func answers(ctx context.Context, address string) error {
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second} // no proxy gets between
	for ends := time.Now().Add(20 * time.Second); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v2/", nil)
		if err != nil {
			return err
		}
		answer, err := web.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("it answers with %s", answer.Status)
		}
		if time.Now().After(ends) {
			return fmt.Errorf("the registry runs in Docker, and cannot be reached on %s: %w. Where Docker runs in a virtual machine, that has to forward published ports to this machine's 127.0.0.1 (docker logs %s tells whether it started)", address, err, registryName)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func removeRegistry(ctx context.Context, docker *client.Client) error {
	_, err := docker.ContainerRemove(ctx, registryName, client.ContainerRemoveOptions{Force: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("removing the registry's container: %w", err)
	}
	return nil
}

// imageOf makes the registry's image where there is none: the program alone, compiled here for
// the daemon's machine, which may be a virtual one.
func imageOf(ctx context.Context, docker *client.Client, project, source string, task progress.Task) error {
	if _, err := docker.ImageInspect(ctx, registryImage); err == nil {
		return nil
	} else if !errdefs.IsNotFound(err) {
		return fmt.Errorf("looking for the registry's image: %w", err)
	}
	version, err := docker.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return fmt.Errorf("asking Docker for its machine's architecture: %w", err)
	}
	task.Log("compiling it, once for this machine")
	program, err := compile(ctx, source, version.Arch)
	if err != nil {
		return err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := errors.Join(
		w.WriteHeader(&tar.Header{Name: "registry", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}), written(w, program),
		w.WriteHeader(&tar.Header{Name: "data/", Mode: 0o755, Typeflag: tar.TypeDir}), w.Close(),
	); err != nil {
		return fmt.Errorf("packing the registry: %w", err)
	}
	answer, err := docker.ImageImport(ctx, client.ImageImportSource{Source: &layer, SourceName: "-"}, registryImage, client.ImageImportOptions{
		Changes: []string{`ENTRYPOINT ["/registry"]`, "EXPOSE " + inside, "LABEL " + Label + "=" + project},
	})
	if err != nil {
		return fmt.Errorf("giving Docker the registry's image: %w", err)
	}
	said, err := io.ReadAll(answer)
	_ = answer.Close()
	if err == nil {
		_, err = docker.ImageInspect(ctx, registryImage)
	}
	if err != nil {
		return fmt.Errorf("giving Docker the registry's image: %w: %s", err, bytes.TrimSpace(said))
	}
	return nil
}

func written(w io.Writer, data []byte) error {
	_, err := w.Write(data)
	return err
}

// compile makes the program for Linux on an architecture, from slipway's source.
func compile(ctx context.Context, source, arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "slipway-registry-")
	if err != nil {
		return nil, fmt.Errorf("compiling the registry: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "registry")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./dev/registryd")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compiling the registry in %s: %w\n%s", source, err, said)
	}
	return os.ReadFile(out)
}
