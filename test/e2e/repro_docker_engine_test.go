package e2e

import (
	"strings"
	"testing"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
)

// What ran on Docker is repeated on Docker, though another engine would be chosen here.
func TestARunOnDockerIsReproducedThere(t *testing.T) {
	images := baseimage.Mirror(t, "alpine:3.20")
	daemon := dockerd.Start(t, dockerd.Options{HostNetwork: true})
	r := packed(t, map[string]string{"Dockerfile": "FROM " + images.Host + "/library/alpine:3.20\nRUN echo made in Docker > /made; exit 3\n"})
	in(r.Dir, "SLIPWAY_ENGINE=docker", "DOCKER_HOST="+daemon.Host).slipway(t, "build:service", "box").Exits(t, 1)
	s := second{clone: r.Clone(t)}
	s.take(t, r, "run.json")
	env := []string{"SLIPWAY_ENGINE=", "DOCKER_HOST=" + daemon.Host}
	s.repro(t, 0, env, s.record).Prints(t, "reproduced: building box on Docker 20.10.", "exit code: 3", "The failure is reproduced.")
	const want = " does not tell which step failed, so there is none to open a shell in: try SLIPWAY_ENGINE=embedded\n"
	if got := s.repro(t, 0, env, s.record, "-shell=true"); !strings.Contains(got.Stderr, want) {
		t.Errorf("it does not say %q:\n%s", want, end(got.Stderr))
	}
	// On another engine the step is known, and the difference is named.
	other := []string{"SLIPWAY_ENGINE=embedded", "SLIPWAY_CACHE=" + ownCache(t), "REGISTRY_MIRROR=" + images.Host}
	s.repro(t, 1, other, s.record).Prints(t, "may be why: the engine is embedded BuildKit here, and was Docker 20.10.")
}
