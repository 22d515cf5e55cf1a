package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"slipway/test/dockerd"
	"slipway/test/gitrepo"
)

// A deploy of CI that was rolled back is repeated on a second clone: by itself without writing,
// and when a person says so on a Swarm for tests, which gets what ran before first.
func TestARollbackOfCIIsReproducedOnAnotherSwarm(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "ci:run", "-branch=main", "-env=dev", "-only=deploy").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "sick"), service("other", "good2")))
	b.slipway(t, "ci:run", "-branch=main", "-env=dev", "-only=deploy").Exits(t, 3).Says(t, "slipway: to repeat this: go tool mage ci:repro "+b.repo.Head()+" -branch=main -only=deploy -env=dev")
	record := filepath.Join(t.TempDir(), "ci.json")
	data, err := os.ReadFile(filepath.Join(b.repo.Dir, "build", "ci.json"))
	must(t, err)
	must(t, os.WriteFile(record, data, 0o644))
	if strings.Contains(string(data), "app in mode") {
		t.Error("the record of a deploy has what services log")
	}

	b.repo = b.repo.Clone(t)
	before := b.versions(t)
	b.slipway(t, "ci:repro", record).Exits(t, 1).Says(t,
		"not repeated: the deploy of dev, which ended with exit code 3: ", "Here, the manifest of dev is sound and its plan can be made; nothing was deployed.",
		"-deploy=true, with SERVER_HOST set to a Swarm for tests", "The run is not reproduced: where it failed, it was not repeated.")
	b.with(t, []string{"SERVER_HOST="}, "ci:repro", record, "-deploy=true").Exits(t, 2).Says(t, "set SERVER_HOST to the Swarm to deploy to")
	for name, version := range b.versions(t) {
		if before[name] != version {
			t.Errorf("%s was written by a repetition", name)
		}
	}

	other := dockerd.Start(t, dockerd.Options{InsecureRegistries: []string{b.images.Host}})
	_, err = other.Client.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"})
	must(t, err)
	b.with(t, []string{"SERVER_HOST=local", "DOCKER_HOST=" + other.Host}, "ci:repro", record, "-deploy=true").Exits(t, 0).Says(t,
		"slipway: first what dev ran before: ", "repo_dev release 2: rolled back", "reproduced: the deploy of dev is rolled back: ", "The failure is reproduced.")
	for name, version := range b.versions(t) {
		if before[name] != version {
			t.Errorf("%s of the real server was written by a repetition on another", name)
		}
	}
	if list := b.repo.Git("worktree", "list", "--porcelain"); strings.Count(list, "worktree ") != 1 {
		t.Errorf("a worktree is left:\n%s", list)
	}
}

// What is wrong with a manifest shows without any server.
func TestAManifestsErrorInCIIsReproduced(t *testing.T) {
	r := gitrepo.New(t)
	b := &bed{repo: r, env: []string{"SLIPWAY_PROGRESS=plain", "SLIPWAY_HOME=" + home, "REGISTRY=registry.example.com/acme"}}
	b.manifest(t, "dev", "services:\n  web:\n    image: ${NOTHING}/web:1\n")
	b.slipway(t, "ci:run", "-branch=main", "-env=dev", "-only=deploy").Exits(t, 2)
	record := filepath.Join(b.repo.Dir, "build", "ci.json")
	data, err := os.ReadFile(record)
	must(t, err)
	b.repo = r.Clone(t)
	record = filepath.Join(t.TempDir(), "ci.json")
	must(t, os.WriteFile(record, data, 0o644))
	b.slipway(t, "ci:repro", record).Exits(t, 0).Says(t, "reproduced: ", "manifests/docker-compose.dev.yaml:3", "NOTHING", "The failure is reproduced.")
}
