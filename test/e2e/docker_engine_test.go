package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
)

const boxDockerfile = `FROM scratch
COPY app.txt /srv/app.txt
CMD ["/srv/app.txt"]
`

// box is a service that every BuildKit can build without a base image.
func box(t testing.TB) *gitrepo.Repo {
	return packed(t, map[string]string{"Dockerfile": boxDockerfile, "app.txt": "app\n"})
}

// engineOf is the engine that build/run.json names.
func engineOf(t testing.TB, r *gitrepo.Repo) string {
	t.Helper()
	var record struct{ Engine string }
	must(t, json.Unmarshal([]byte(read(t, r.Dir, "build", "run.json")), &record))
	return record.Engine
}

func TestDockersBuildKitKeepsTheImageInDockersStoreAndPushesItFromThere(t *testing.T) {
	reg := registry.Start(t, registry.Options{Users: map[string]string{"ci": "s3cret-p4ss"}})
	daemon := dockerd.Start(t, dockerd.Options{HostNetwork: true})
	r := box(t)
	r.Write("slipway.yaml", "services:\n  box:\n    tags: [latest]\n")
	r.Commit("Let latest move along", later(1))
	c := in(r.Dir, "SLIPWAY_ENGINE=docker", "DOCKER_HOST="+daemon.Host, "REGISTRY="+reg.Host+"/group", "REGISTRY_USER=ci", "REGISTRY_PASSWORD=s3cret-p4ss")

	built := c.slipway(t, "build:service", "box").Exits(t, 0)
	fields := strings.Fields(built.Stdout)
	if len(fields) != 3 || fields[0] != "box" {
		t.Fatalf("stdout: %q", built.Stdout)
	}
	image := reg.Host + "/group/box:" + fields[1]
	inspected, err := daemon.Client.ImageInspect(t.Context(), image)
	must(t, err)
	if inspected.ID != fields[2] {
		t.Errorf("it names %s, and Docker has %s as %s", fields[2], image, inspected.ID)
	}
	if version := inspected.Config.Labels["org.opencontainers.image.version"]; version != fields[1] {
		t.Errorf("the image's version label is %q", version)
	}
	if writes := reg.Writes(); len(writes) > 0 {
		t.Errorf("a build pushed: %v", writes)
	}

	pushed := c.slipway(t, "image:push", "box").Exits(t, 0)
	digest := strings.Fields(pushed.Stdout)[2]
	for _, tag := range []string{fields[1], "latest"} {
		ref, err := name.ParseReference(reg.Host + "/group/box:" + tag)
		must(t, err)
		found, err := remote.Head(ref, remote.WithAuth(&basic{"ci", "s3cret-p4ss"}))
		must(t, err)
		if found.Digest.String() != digest {
			t.Errorf("it names %s, and the registry has %s for %s", digest, found.Digest, tag)
		}
	}
	if strings.Contains(built.Stderr+pushed.Stderr, "s3cret-p4ss") {
		t.Error("the password is in the output")
	}
	if list, err := daemon.Client.ImageList(t.Context(), client.ImageListOptions{}); err != nil || len(list.Items) != 1 {
		t.Errorf("Docker has %v (%v), want the one image", list.Items, err)
	}
}

func TestAnOldDockerIsNotChosenUnasked(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{HostNetwork: true})
	r := box(t)
	in(r.Dir, "SLIPWAY_ENGINE=", "DOCKER_HOST="+daemon.Host).slipway(t, "build:service", "box").Exits(t, 0)
	if got := engineOf(t, r); !strings.HasPrefix(got, "embedded BuildKit") {
		t.Errorf("it ran on %s, want the embedded BuildKit", got)
	}
	in(r.Dir, "SLIPWAY_ENGINE=docker", "DOCKER_HOST="+daemon.Host).slipway(t, "build:service", "box").Exits(t, 0)
	if got := engineOf(t, r); !strings.HasPrefix(got, "Docker 20.10.") {
		t.Errorf("it ran on %s, want the Docker that was asked for", got)
	}
}

func TestADockerThatIsNotThere(t *testing.T) {
	r := box(t)
	nowhere := "unix://" + t.TempDir() + "/docker.sock"
	res := in(r.Dir, "SLIPWAY_ENGINE=docker", "DOCKER_HOST="+nowhere).slipway(t, "build:service", "box").Exits(t, 1)
	want := "slipway: Docker at " + nowhere + " does not answer: "
	if !strings.HasPrefix(res.Stderr, want) || !strings.HasSuffix(res.Stderr, "Start it, or choose another engine (SLIPWAY_ENGINE=embedded)\n") {
		t.Errorf("it says:\n%s\nwant:\n%s…", res.Stderr, want)
	}
}

// Docker has its own setting for mirrors, so an error must not say that slipway's were tried.
func TestDockerSaysWhereItLookedForABaseImage(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	daemon := dockerd.Start(t, dockerd.Options{HostNetwork: true})
	base := reg.Host + "/group/none:1"
	r := packed(t, map[string]string{"Dockerfile": "FROM " + base + "\nCOPY app.txt /\n", "app.txt": "app\n"})
	res := in(r.Dir, "SLIPWAY_ENGINE=docker", "DOCKER_HOST="+daemon.Host, "REGISTRY_MIRROR=mirror.example.com").slipway(t, "build:service", "box").Exits(t, 1)
	for _, want := range []string{
		" cannot be given REGISTRY_MIRROR: it uses the registry-mirrors of its own daemon.json",
		"✗ a base image is not to be had: ", base, "Tried: the registry that its name says. Check the image's name and tag",
		"services/box/Dockerfile",
	} {
		if !strings.Contains(res.Stderr, want) {
			t.Errorf("it does not say %q, but:\n%s", want, res.Stderr)
		}
	}
}
