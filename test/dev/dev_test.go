package dev

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/gitrepo"
)

// manifest has what a laptop lacks: an external secret and network, a directory of a server.
const manifest = `services:
  web:
    image: ${REGISTRY}/web:${TAG}
    stop_grace_period: 1s
    environment: {WHERE: "${ENV}"}
    ports: [{target: 8080, published: 8081, mode: host}]
    secrets: [key]
    networks: [default, shared]
    volumes: [data:/data, /srv/acme/dev:/srv/app]
    healthcheck: {test: ["CMD-SHELL", "test -s /run/secrets/key && ls /srv/app"], interval: 300ms, timeout: 5s, retries: 3, start_period: 2s}
    deploy: &deploy
      endpoint_mode: dnsrr
      restart_policy: {condition: on-failure, delay: 200ms}
      update_config: {order: stop-first, failure_action: rollback, monitor: 1s}
      rollback_config: {monitor: 500ms}
  other:
    image: ${REGISTRY}/other:${TAG}
    stop_grace_period: 1s
    healthcheck: {test: ["CMD", "true"], interval: 300ms, timeout: 5s, retries: 3, start_period: 2s}
    deploy: *deploy
secrets: {key: {external: true, name: acme-key}}
networks: {default: {}, shared: {external: true, name: acme-shared}}
volumes: {data: {}}
`

const web = `FROM alpine:3.20
COPY app.txt /www/index.html
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
`

const other = `FROM alpine:3.20
COPY app.txt /other.txt
CMD ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"]
`

func (l *laptop) write(t *testing.T) {
	t.Helper()
	l.repo.Write("slipway.yaml", "project: acme\nenvironments: {dev: {branches: [nobody], directory: /srv/acme}}\n")
	l.repo.Write(".gitignore", "build/\n")
	l.repo.Write("manifests/docker-compose.dev.yaml", manifest)
	for name, file := range map[string]string{"web": web, "other": other} {
		l.repo.Write("services/"+name+"/Dockerfile", file)
		l.repo.Write("services/"+name+"/.dockerignore", "*.md\n") // which makes the directory the context
		l.repo.Write("services/"+name+"/app.txt", "first\n")
	}
	l.repo.Commit("all of it", gitrepo.Epoch)
}

// page is what the service web serves on the port that it publishes.
func (l *laptop) page() string {
	browser := &http.Client{Transport: &http.Transport{DialContext: l.docker.Dial, DisableKeepAlives: true}}
	answer, err := browser.Get("http://127.0.0.1:8081/")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// all is everything that the daemon has and that somebody made, by kind and name.
func (l *laptop) all(t *testing.T) (out []string) {
	t.Helper()
	docker, ctx := l.docker.Client, t.Context()
	info, err := docker.Info(ctx, client.InfoOptions{})
	must(t, err)
	out = append(out, "swarm "+string(info.Info.Swarm.LocalNodeState))
	containers, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true})
	must(t, err)
	for _, c := range containers.Items {
		out = append(out, "container "+strings.Join(c.Names, ","))
	}
	volumes, err := docker.VolumeList(ctx, client.VolumeListOptions{})
	must(t, err)
	for _, v := range volumes.Items {
		out = append(out, "volume "+v.Name)
	}
	networks, err := docker.NetworkList(ctx, client.NetworkListOptions{})
	must(t, err)
	for _, n := range networks.Items {
		out = append(out, "network "+n.Name)
	}
	images, err := docker.ImageList(ctx, client.ImageListOptions{})
	must(t, err)
	for _, i := range images.Items {
		if !slices.Contains(i.RepoTags, alpine) { // pulled, and not built
			out = append(out, fmt.Sprintf("image %q %q", i.RepoTags, i.RepoDigests))
		}
	}
	slices.Sort(out)
	return out
}

func (l *laptop) services(t *testing.T) map[string]swarm.Service {
	t.Helper()
	got, err := l.docker.Client.ServiceList(t.Context(), client.ServiceListOptions{})
	must(t, err)
	out := map[string]swarm.Service{}
	for _, s := range got.Items {
		out[s.Spec.Name] = s
	}
	return out
}

func TestUpAgainAndDown(t *testing.T) {
	l := newLaptop(t)
	l.write(t)
	bare := l.all(t)

	// A Swarm of somebody else's is left alone.
	l.docker.Init(t)
	foreign := l.all(t)
	l.up(t).Exits(t, 1).Says(t, "is in a Swarm that dev:up did not make, and which it leaves alone")
	l.run(t, "dev:down").Exits(t, 0).Says(t, "there was nothing of dev:up to remove")
	if now := l.all(t); !slices.Equal(foreign, now) {
		t.Fatalf("a foreign Swarm was touched:\nbefore %q\nnow    %q", foreign, now)
	}
	_, err := l.docker.Client.SwarmLeave(t.Context(), client.SwarmLeaveOptions{Force: true})
	must(t, err)
	_, err = l.docker.Client.NetworkRemove(t.Context(), "docker_gwbridge", client.NetworkRemoveOptions{})
	must(t, err)

	// Killed half-way, it is gone on with.
	half := l.start(t, "dev:up", fmt.Sprintf("-port=%d", l.port))
	eventually(t, "the registry is made", func() bool { return half.Ended() || slices.Contains(l.all(t), "container /slipway-dev-registry") })
	must(t, half.Cmd.Process.Kill())
	half.Wait(t, limit)
	first := l.up(t).Exits(t, 0)
	first.Says(t, "made the secret acme-key", "made the network acme-shared", "acme_dev release 1: done", "service web has an empty volume at /srv/app, and not the directory /srv/acme/dev")
	if !strings.HasSuffix(first.Stdout, "web                  http://localhost:8081\n") {
		t.Errorf("stdout does not end with the address:\n%s", first.Stdout)
	}
	if got := l.page(); got != "first\n" {
		t.Errorf("the page is %q", got)
	}

	before := l.services(t)
	l.up(t).Exits(t, 0).Says(t, "acme_dev release 1: unchanged")
	l.repo.Write("services/web/app.txt", "second, and not committed\n")
	l.up(t).Exits(t, 0).Says(t, "acme_dev release 2: done", "-dirty")
	if got := l.page(); got != "second, and not committed\n" {
		t.Errorf("the page is %q", got)
	}
	// The tag stays, and another content is another image all the same.
	l.repo.Write("services/web/app.txt", "third\n")
	l.up(t).Exits(t, 0).Says(t, "acme_dev release 3: done")
	if got := l.page(); got != "third\n" {
		t.Errorf("the page is %q", got)
	}
	if was, is := before["acme_dev_other"].Version.Index, l.services(t)["acme_dev_other"].Version.Index; was != is {
		t.Errorf("the other service was rolled: version %d, now %d", was, is)
	}
	l.repo.Write("slipway.yaml", "project: another\n")
	l.up(t).Exits(t, 1).Says(t, "dev:up of the project acme has this machine's Docker")

	// Killed in the middle of an update, it is all removed.
	l.repo.Write("slipway.yaml", "project: acme\n")
	l.repo.Write("services/web/app.txt", "fourth\n")
	half = l.start(t, "dev:up", fmt.Sprintf("-port=%d", l.port))
	version := l.services(t)["acme_dev_web"].Version.Index
	eventually(t, "the update has begun", func() bool { return half.Ended() || l.services(t)["acme_dev_web"].Version.Index != version })
	must(t, half.Cmd.Process.Kill())
	half.Wait(t, limit)
	l.run(t, "dev:down").Exits(t, 0).Says(t, "removed service acme_dev_web", "removed Swarm of acme", "removed volume acme_dev_data", "removed registry")
	if left := l.all(t); !slices.Equal(bare, left) {
		t.Errorf("left over:\nbefore %q\nnow    %q", bare, left)
	}
	l.run(t, "dev:down").Exits(t, 0).Says(t, "there was nothing of dev:up to remove")
}

func TestUpMakesNothingForBadInput(t *testing.T) {
	l := newLaptop(t)
	l.write(t)
	before := l.all(t)
	l.run(t, "dev:up", "-port=70000").Exits(t, 2).Says(t, "-port=70000: write a port between 1 and 65535")
	l.repo.Write("manifests/docker-compose.dev.yaml", "services: {web: {image: '${REGISTRY}/web:${TAG}', privileged: true}}\n")
	l.up(t).Exits(t, 2).Says(t, "privileged")
	l.write(t)
	l.env = append(l.env, "DOCKER_HOST=tcp://docker.example.com:2376")
	for _, what := range []string{"dev:up", "dev:down"} {
		l.run(t, what).Exits(t, 2).Says(t, "DOCKER_HOST names tcp://docker.example.com:2376")
	}
	if after := l.all(t); !slices.Equal(before, after) {
		t.Errorf("something was made:\nbefore %q\nnow    %q", before, after)
	}
}
