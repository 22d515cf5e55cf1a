package pipeline

import "testing"

func TestMountsArePathsOfANode(t *testing.T) {
	for _, text := range []string{"/var/run/docker.sock", "/", "/:ro", "/var/lib/docker/containers:ro", `\\.\pipe\docker_engine`} {
		s, err := ParseSettings([]byte("environments: {dev: {mounts: ['" + text + "']}}\n"))
		if err != nil || s.Environment("dev").Mounts[0] != text {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"var/run", "", ":ro", "/var/run/", "/srv/../etc", "/a:rw", "*", "~/x"} {
		_, err := ParseSettings([]byte("environments: {dev: {mounts: ['" + text + "']}}\n"))
		says(t, err, `slipway.yaml: environments.dev.mounts: "`+text+`" is no path of a node: write it as /var/run/docker.sock, or as /:ro where it is only to be read`)
	}
}
