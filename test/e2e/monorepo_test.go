package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
)

// The images of the real monorepo run: as the user that they name, and healthy.
func TestTheMonoreposImagesRun(t *testing.T) {
	r := gitrepo.New(t)
	must(t, os.CopyFS(file(r, "services"), os.DirFS(filepath.Join(home, "services"))))
	must(t, os.RemoveAll(file(r, "services/build")))
	r.Write(".gitignore", read(t, home, ".gitignore"))
	r.Write(".golangci.yml", read(t, home, ".golangci.yml"))
	r.Commit("Start", gitrepo.Epoch)
	reg := registry.Start(t, registry.Options{})
	got := lines(in(r.Dir, "REGISTRY="+reg.Host).slipway(t, "image:push", "ping,backend").Exits(t, 0))
	tag := "20240725_" + r.Head()[:8]

	d := dockerd.Start(t, dockerd.Options{InsecureRegistries: []string{reg.Host}})
	for _, service := range []string{"ping", "backend"} {
		if !strings.HasPrefix(got[service], tag+" sha256:") {
			t.Errorf("%s is %q", service, got[service])
		}
		d.Pull(t, reg.Host+"/"+service+":"+tag)
		if out, code := d.Run(t, &container.Config{Image: reg.Host + "/" + service + ":" + tag, Cmd: []string{"-help"}}); code != 0 || !strings.Contains(out, "-healthcheck") {
			t.Errorf("%s -help: exit code %d: %s", service, code, out)
		}
	}

	id := d.Create(t, &container.Config{Image: reg.Host + "/ping:" + tag}, nil)
	var state client.ContainerInspectResult
	eventually(t, "ping is healthy", func() bool {
		var err error
		state, err = d.Client.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
		must(t, err)
		if !state.Container.State.Running {
			t.Fatalf("ping ended: %s", d.Logs(t, id))
		}
		return state.Container.State.Health != nil && state.Container.State.Health.Status == container.Healthy
	})
	if !slices.Contains(state.Container.Config.Env, "VERSION="+tag) {
		t.Errorf("the container's environment is %q", state.Container.Config.Env)
	}
	top, err := d.Client.ContainerTop(t.Context(), id, client.ContainerTopOptions{Arguments: []string{"-o", "pid,uid,args"}})
	must(t, err)
	if len(top.Processes) != 1 || !slices.Equal(top.Processes[0][1:], []string{"65532", "/app/service"}) {
		t.Errorf("in the container run %v: %q", top.Titles, top.Processes)
	}
}
