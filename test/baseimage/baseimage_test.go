package baseimage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/progress"
	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/registry"
)

// with gives a daemon that has pulled the image from its mirror.
func with(t *testing.T, image string) *dockerd.Daemon {
	t.Helper()
	d := dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, image).Host}})
	began := time.Now()
	d.Pull(t, image)
	t.Logf("pulled %s in %s", image, time.Since(began).Round(100*time.Millisecond))
	return d
}

func mustPrint(t *testing.T, d *dockerd.Daemon, image, want string, command ...string) {
	t.Helper()
	out, code := d.Run(t, &container.Config{Image: image, Cmd: command})
	if code != 0 || !strings.Contains(out, want) {
		t.Errorf("%s %q: exit code %d, output %q; want 0 and %q", image, command, code, out, want)
	}
}

func TestGolangCompilesWithTheRaceDetector(t *testing.T) {
	const image = "golang:1.26-bookworm"
	d := with(t, image)
	mustPrint(t, d, image, "/usr/local/go go1.26", "sh", "-c", "echo $(go env GOROOT GOVERSION)")
	mustPrint(t, d, image, "DATA RACE", "bash", "-c", `
mkdir /tmp/m && cd /tmp/m && go mod init m 2>/dev/null
printf 'package m\nimport "testing"\nfunc TestRace(t *testing.T) { n := 0; c := make(chan int); go func() { n++; close(c) }(); n++; <-c }\n' > m_test.go
! go test -race . && go vet .`)
}

func TestAlpineHasItsTools(t *testing.T) {
	const image = "alpine:3.20"
	d := with(t, image)
	mustPrint(t, d, image, "0 /root abc", "sh", "-c", `echo $(id -u) $HOME $(printf abc | /usr/bin/env cat) && wget --help 2>&1 | grep -q Usage`)
	mustPrint(t, d, image, "drwxrwxrwt", "ls", "-ld", "/tmp")
}

func TestNginxServesAndReadsMountedConfiguration(t *testing.T) {
	const image = "nginx:latest"
	d := with(t, image)
	id := d.Create(t, &container.Config{Image: image}, nil)
	mustExec(t, d, id, "Welcome to nginx", "curl", "-sS", "http://127.0.0.1/")

	conf := filepath.Join(t.TempDir(), "default.conf")
	if err := os.WriteFile(conf, []byte("server { listen 81; return 200 ours; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	id = d.Create(t, &container.Config{Image: image},
		&container.HostConfig{Binds: []string{conf + ":/etc/nginx/conf.d/default.conf:ro"}})
	mustExec(t, d, id, "ours", "curl", "-sS", "http://127.0.0.1:81/")
}

func TestPostgresHonoursItsEnvironment(t *testing.T) {
	const image = "postgres:16.3-alpine"
	d := with(t, image)
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := d.Create(t, &container.Config{Image: image, Env: []string{
		"POSTGRES_USER=app", "POSTGRES_DB=shop", "POSTGRES_PASSWORD_FILE=/run/secrets/db",
	}}, &container.HostConfig{Binds: []string{secret + ":/run/secrets/db:ro"}})
	query := `psql -tA -h $(hostname -i) -U app shop -c "select current_user, current_database(), count(*) from pg_stat_ssl" 2>&1`
	mustExec(t, d, id, "app|shop", "sh", "-c", "PGPASSWORD=s3cret "+query)
	mustExec(t, d, id, "password authentication failed", "sh", "-c", "PGPASSWORD=wrong "+query)
	mustExec(t, d, id, "postgres", "sh", "-c", "stat -c %U /proc/1")

	out, code := d.Run(t, &container.Config{Image: image})
	if code != 1 || !strings.Contains(out, "POSTGRES_PASSWORD") {
		t.Errorf("without a password: exit code %d, output %q", code, out)
	}
}

func TestNodeRuns(t *testing.T) {
	const image = "node:24-bookworm-slim"
	d := with(t, image)
	mustPrint(t, d, image, "v24.9.0 11.6.0 11.6.0", "sh", "-c", "echo $(node --version) $(npm --version) $(npx --version)")
	mustPrint(t, d, image, "42", "-e", "console.log(6*7)")
	mustPrint(t, d, image, "1000", "id", "-u", "node")
}

// mustExec runs a command in a container until it prints want, for at most half a minute
// while the container runs: servers take a moment to listen.
func mustExec(t *testing.T, d *dockerd.Daemon, id, want string, command ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		out, err := execute(ctx, d, id, command)
		if err == nil && strings.Contains(out, want) {
			return
		}
		if state, inspectErr := d.Client.ContainerInspect(ctx, id, client.ContainerInspectOptions{}); inspectErr == nil && !state.Container.State.Running {
			t.Fatalf("the container has ended; it wrote:\n%s", d.Logs(t, id))
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%q printed %q (%v), want %q; the container wrote:\n%s", command, out, err, want, d.Logs(t, id))
		case <-again.C:
		}
	}
}

func execute(ctx context.Context, d *dockerd.Daemon, id string, command []string) (string, error) {
	made, err := d.Client.ExecCreate(ctx, id, client.ExecCreateOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return "", err
	}
	attached, err := d.Client.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, attached.Close)() // ctx does not bound reading
	defer attached.Close()
	var out strings.Builder
	_, err = stdcopy.StdCopy(&out, &out, attached.Reader)
	return out.String(), err
}

func TestPushPutsAnImageWhereDockerHubHasIt(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	baseimage.Push(t, reg.Host, "alpine:3.20", "alpine")
	for _, tag := range []string{"3.20", "latest"} {
		ref, err := name.ParseReference(reg.Host + "/library/alpine:" + tag)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Head(ref, remote.WithContext(t.Context())); err != nil {
			t.Errorf("library/alpine:%s: %v", tag, err)
		}
	}
}

func TestASecondBuildIsFree(t *testing.T) {
	if _, err := baseimage.Build(t.Context(), "alpine:3.20", progress.Discard()); err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	image, err := baseimage.Build(t.Context(), "alpine:3.20", progress.Plain(&report, 0))
	if err != nil {
		t.Fatal(err)
	}
	if report.Len() != 0 {
		t.Errorf("it was made again:\n%s", report.String())
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(config.Config.Cmd, config.Config.Entrypoint); got != "[/bin/sh] []" {
		t.Errorf("alpine's command and entrypoint are %s", got)
	}
}

func TestAnUnknownImageIsNamedWithThoseThereAre(t *testing.T) {
	_, err := baseimage.Build(t.Context(), "redis:7", progress.Discard())
	if err == nil || !strings.Contains(err.Error(), "redis:7") || !strings.Contains(err.Error(), "postgres") {
		t.Errorf("got %v", err)
	}
}
