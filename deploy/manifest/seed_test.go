package manifest_test

import (
	"os"
	"testing"

	"slipway/deploy/manifest"
)

// seed is the sample of the article that manifests come from.
func seed(env string) manifest.Options {
	return manifest.Options{
		FS: os.DirFS("testdata/seed"), Files: []string{"manifests/docker-compose." + env + ".yaml"},
		Project: "project", Env: env, Vars: map[string]string{"REGISTRY": "registry.example.com"},
	}
}

// The seed deploys unchanged: there is nothing in it but warnings.
func TestSeed(t *testing.T) {
	for env, want := range map[string]int{"prod": 8, "dev": 2} {
		m, found := manifest.Load(seed(env))
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		if len(found.Warnings()) != want {
			t.Errorf("%s: %d warnings, want %d:\n%s", env, len(found.Warnings()), want, found)
		}
		if m.Stack != "project_"+env {
			t.Errorf("the stack is called %s", m.Stack)
		}
	}
	m, _ := manifest.Load(seed("prod"))
	if got := m.Project.Services["postgres"].HealthCheck.Test[1]; got != "sh -c 'pg_isready -U ${POSTGRES_USER} -d ${POSTGRES_DB}'" {
		t.Errorf("the health check is %s", got)
	}
	if got := m.Project.Networks["default"].Name; got != "project_prod_default" {
		t.Errorf("the default network is %s, and dev's manifest names project_prod_default", got)
	}
}
