package manifest_test

import (
	"os"
	"testing"

	"slipway/deploy/manifest"
)

func seed(env string) manifest.Options {
	return manifest.Options{
		FS: os.DirFS("testdata/seed"), Files: []string{"manifests/docker-compose." + env + ".yaml"},
		Project: "project", Env: env, Vars: map[string]string{"REGISTRY": "registry.example.com"},
	}
}

func TestSeed(t *testing.T) {
	for _, e := range []string{"prod", "dev"} {
		m, f := manifest.Load(seed(e))
		t.Log("\n"+f.String())
		t.Log(m != nil)
		if m != nil { for k, c := range m.Configs { t.Log(k, c.Name)}
		 t.Log(m.Project.Services["postgres"].HealthCheck.Test)
		}
	}
}
