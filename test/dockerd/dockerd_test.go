package dockerd_test

import (
	"archive/tar"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/registry"
)

const alpine = "alpine:3.20"

// buildImage builds a Dockerfile without other files.
func buildImage(t *testing.T, d *dockerd.Daemon, tag, dockerfile string) {
	t.Helper()
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	if err := w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(dockerfile))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(dockerfile)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer, err := d.Client.ImageBuild(t.Context(), &files, client.ImageBuildOptions{Tags: []string{tag}, Version: build.BuilderV1})
	if err != nil {
		t.Fatalf("building %s: %v", tag, err)
	}
	defer answer.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Successfully tagged") {
		t.Fatalf("building %s:\n%s", tag, out.String())
	}
}

func pushImage(t *testing.T, d *dockerd.Daemon, image string) {
	t.Helper()
	answer, err := d.Client.ImagePush(t.Context(), image, client.ImagePushOptions{RegistryAuth: "e30="})
	if err != nil {
		t.Fatalf("pushing %s: %v", image, err)
	}
	if err := answer.Wait(t.Context()); err != nil {
		t.Fatalf("pushing %s: %v", image, err)
	}
}

func TestWhatOneDaemonBuildsAndPushesAnotherPullsAndRuns(t *testing.T) {
	mirror := baseimage.Mirror(t, alpine)
	reg := registry.Start(t, registry.Options{})
	one := dockerd.Start(t, dockerd.Options{Mirrors: []string{mirror.Host}, Reach: []string{reg.Host}})
	two := dockerd.Start(t, dockerd.Options{Reach: []string{reg.Host}})

	image := reg.Host + "/greeter:1"
	buildImage(t, one, image, "FROM "+alpine+"\nRUN echo built in $(hostname) > /where\nCMD [\"sh\",\"-c\",\"echo hello from $WHO; cat /where; exit 3\"]\n")
	pushImage(t, one, image)
	two.Pull(t, image)

	out, code := two.Run(t, &container.Config{Image: image, Env: []string{"WHO=two"}})
	if !strings.HasPrefix(out, "hello from two\nbuilt in ") || code != 3 {
		t.Errorf("got %q and exit code %d, want a greeting and 3", out, code)
	}
	if len(mirror.Writes()) != 0 {
		t.Errorf("a daemon wrote to its mirror: %v", mirror.Writes())
	}
}

func TestTheMirrorIsAllOfDockerHub(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, alpine).Host}})
	d.Pull(t, alpine)
	answer, err := d.Client.ImagePull(t.Context(), "no-such-image:1", client.ImagePullOptions{})
	if err == nil {
		err = answer.Wait(t.Context())
	}
	if err == nil {
		t.Fatal("an image that the mirror does not have was pulled")
	}
}

func TestAContainerIsReachedThroughThePortItPublishes(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, alpine).Host}})
	d.Pull(t, alpine)
	id := d.Create(t, &container.Config{
		Image: alpine, ExposedPorts: portSet("8080/tcp"),
		Cmd: []string{"sh", "-c", "mkdir /www && echo served > /www/index.html && exec httpd -f -p 8080 -h /www"},
	}, &container.HostConfig{PortBindings: portBinding("8080/tcp", "80")})
	web := &http.Client{Transport: &http.Transport{DialContext: d.Dial}}
	defer web.CloseIdleConnections()
	body := eventually(t, func() (string, error) { return get(web, "http://127.0.0.1:80/") })
	if body != "served\n" {
		t.Errorf("got %q; the container wrote %q", body, d.Logs(t, id))
	}
}

func TestDownAndUpKeepsImagesAndStartsWhatIsToBeStarted(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, alpine).Host}})
	d.Pull(t, alpine)
	id := d.Create(t, &container.Config{Image: alpine, Cmd: []string{"sleep", "1000"}, StopSignal: "SIGKILL"},
		&container.HostConfig{RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyAlways}})
	for name, end := range map[string]func(){"down": d.Down, "kill": d.Kill} {
		end()
		if _, err := d.Client.Ping(t.Context(), client.PingOptions{}); err == nil {
			t.Fatalf("after %s the daemon answers", name)
		}
		d.Up()
		eventually(t, func() (string, error) { return "", running(t, d, id) })
	}
}

func TestADaemonInTheMachinesNetworkReachesItDirectly(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	baseimage.Push(t, reg.Host, alpine)
	d := dockerd.Start(t, dockerd.Options{HostNetwork: true})
	image := reg.Host + "/library/" + alpine
	d.Pull(t, image)
	if out, code := d.Run(t, &container.Config{Image: image, Cmd: []string{"echo", "ran"}}); out != "ran\n" || code != 0 {
		t.Errorf("got %q and exit code %d", out, code)
	}
}
