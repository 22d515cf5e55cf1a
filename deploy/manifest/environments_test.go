package manifest_test

import (
	"os"
	"testing"
	"testing/fstest"

	"slipway/deploy/manifest"
)

func TestFile(t *testing.T) {
	root := fstest.MapFS{"docker-compose.dev.yml": {}, "docker-compose.yaml": {}, "docker-compose..yaml": {}}
	for _, c := range []struct {
		env, want, err string
		root           bool
	}{
		{env: "prod", want: "manifests/docker-compose.prod.yaml"},
		{env: "dev", want: "docker-compose.dev.yml", root: true},
		{env: "prdo", err: `there is no environment "prdo": manifests/docker-compose.prdo.yaml does not exist; there are dev, prod`},
		{env: "../x", err: `there is no environment "../x": manifests/docker-compose.../x.yaml does not exist; there are dev, prod`},
	} {
		fsys := os.DirFS("testdata/seed")
		if c.root {
			fsys = root
		}
		got, err := manifest.File(fsys, c.env)
		if text := errorText(err); got != c.want || text != c.err {
			t.Errorf("%s: %q, %q", c.env, got, text)
		}
	}
	_, err := manifest.File(fstest.MapFS{}, "dev")
	if want := `there is no environment "dev": manifests/docker-compose.dev.yaml does not exist; there is no manifest at all`; errorText(err) != want {
		t.Errorf("got %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
