package deploy

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
)

// digest is that of an image in the registry: "sha256:…".
func (b *bed) digest(t testing.TB, image string) string {
	t.Helper()
	ref, err := name.ParseReference(b.images.Host+"/"+image, name.Insecure)
	must(t, err)
	got, err := remote.Head(ref)
	must(t, err)
	return got.Digest.String()
}

// images are all references to images that a daemon has.
func images(t testing.TB, d *dockerd.Daemon) (out []string) {
	t.Helper()
	got, err := d.Client.ImageList(t.Context(), client.ImageListOptions{})
	must(t, err)
	for _, i := range got.Items {
		out = append(append(out, i.RepoTags...), i.RepoDigests...)
	}
	return out
}

// holds tells whether one of the texts has part in it.
func holds(all []string, part string) bool { return strings.Contains(strings.Join(all, "\n"), part) }

// stopped are the names of a stack's stopped containers.
func stopped(t testing.TB, d *dockerd.Daemon, stack string) (out []string) {
	t.Helper()
	got, err := d.Client.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: make(client.Filters).
		Add("label", "com.docker.stack.namespace="+stack).Add("status", "exited", "dead")})
	must(t, err)
	for _, c := range got.Items {
		out = append(out, strings.Join(c.Names, ","))
	}
	return out
}

func TestUnusedImagesAndStoppedContainersAreCollectedByAge(t *testing.T) {
	b := newBed(t)
	b.push(t, "app:good3", "good3")
	b.push(t, "app:good4", "good4")
	b.push(t, "foreign:1", "job") // other content than any app: one image may have many names
	foreign := b.images.Host + "/foreign:1"
	b.docker.Pull(t, foreign)
	byHand := b.docker.Create(t, &container.Config{Image: foreign, Cmd: []string{"true"}}, nil)

	settings := func(after string) {
		b.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {retention: 2, collect_after: "+after+"}}\n")
	}
	settings("1h") // all is younger
	for _, mode := range []string{"good", "good2", "good3"} {
		b.manifest(t, "dev", stack(service("web", mode)))
		if v := verdict(t, b.slipway(t, "deploy:env", "dev", "-json=true").Exits(t, 0)); holds(v.Collected, "container ") {
			t.Errorf("collected before its time: %v", v.Collected)
		}
	}
	eventually(t, "the old tasks have stopped", func() bool { return len(stopped(t, b.docker, "repo_dev")) == 2 })

	settings("never")
	b.manifest(t, "dev", stack(service("web", "good4")))
	if v := verdict(t, b.slipway(t, "deploy:env", "dev", "-json=true").Exits(t, 0)); holds(v.Collected, "container ") || holds(v.Collected, "image ") {
		t.Errorf("collected what is never to be: %v", v.Collected)
	}
	eventually(t, "the old tasks have stopped", func() bool { return len(stopped(t, b.docker, "repo_dev")) == 3 })

	settings("0s")
	b.commit("collect at once")
	if r := b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged"); strings.Contains(r.Stderr, "collecting") {
		t.Errorf("a deploy with nothing to do has collected:\n%s", r.Stderr)
	}
	b.manifest(t, "dev", stack(service("web", "good4", "labels: {a: b}")))
	v := verdict(t, b.slipway(t, "deploy:env", "dev", "-json=true").Exits(t, 0))
	for _, mode := range []string{"good", "good2", "good3"} { // kept are releases 4 and 5, both of good4
		if !holds(v.Collected, "image "+b.images.Host+"/app@"+b.digest(t, "app:"+mode)[7:19]) || holds(images(t, b.docker), b.digest(t, "app:"+mode)) {
			t.Errorf("app:%s was not collected, but %v", mode, v.Collected)
		}
	}
	if len(v.Warnings) > 0 || v.Note != "" {
		t.Errorf("there are the warnings %v and the note %q", v.Warnings, v.Note)
	}
	if !holds(v.Collected, "container repo_dev_web.1.") {
		t.Errorf("no container was collected, but %v", v.Collected)
	}
	if got := images(t, b.docker); !holds(got, foreign) || !holds(got, b.digest(t, "app:good4")) {
		t.Errorf("of what must stay, there is only %v", got)
	}
	if _, err := b.docker.Client.ContainerInspect(t.Context(), byHand, client.ContainerInspectOptions{}); err != nil {
		t.Errorf("a container of somebody else's: %v", err)
	}
}

// A kept release comes back with the registry gone: its images are still on the node.
func TestWhatAKeptReleaseNeedsIsNotCollected(t *testing.T) {
	b := newBed(t)
	b.push(t, "app:good3", "good3")
	b.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {retention: 3, collect_after: 0s}}\n")
	for _, mode := range []string{"good", "good2", "good3"} {
		b.manifest(t, "dev", stack(service("web", mode)))
		b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	}
	b.images.Down()
	b.slipway(t, "deploy:rollback", "dev", "-to=1").Exits(t, 0)
	b.runs(t, "repo_dev_web", "good")
}
