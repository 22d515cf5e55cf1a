package convert_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dockerconvert "github.com/docker/cli/cli/compose/convert"
	dockerloader "github.com/docker/cli/cli/compose/loader"
	dockertypes "github.com/docker/cli/cli/compose/types"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/manifest"
)

const seedDir = "../manifest/testdata/seed"

// subject is a manifest that both converters get.
type subject struct {
	name, dir, file, env string
	vars                 map[string]string
}

func subjects(t *testing.T) []subject {
	t.Helper()
	all := []subject{
		{"seed prod", seedDir, "manifests/docker-compose.prod.yaml", "prod", map[string]string{"REGISTRY": "registry.example.com"}},
		{"seed dev", seedDir, "manifests/docker-compose.dev.yaml", "dev", map[string]string{"REGISTRY": "registry.example.com"}},
	}
	files, err := filepath.Glob("testdata/oracle/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus: ", err)
	}
	for _, f := range files {
		all = append(all, subject{filepath.Base(f), filepath.Dir(f), filepath.Base(f), "test", map[string]string{
			"REGISTRY": "registry.example.com", "VERSION": "7", "REPLICAS": "4", "FLAG": "x", "SET": "by the deploy",
		}})
	}
	return all
}

func (s subject) load(t *testing.T) *manifest.Manifest {
	t.Helper()
	m, found := manifest.Load(manifest.Options{
		FS: os.DirFS(s.dir), Files: []string{s.file}, Project: "project", Env: s.env, Vars: s.vars,
		Mounts: []string{`\\.\pipe\docker_engine`},
	})
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

// ours converts and fills in the ids that docker finds by name.
func (s subject) ours(t *testing.T) map[string]swarm.ServiceSpec {
	t.Helper()
	m := s.load(t)
	stack, err := convert.Convert(m, convert.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ids := convert.IDs{Configs: map[string]string{}, Secrets: map[string]string{}}
	for _, o := range m.Configs {
		ids.Configs[o.Name] = "id of " + o.Name
	}
	for _, o := range m.Secrets {
		ids.Secrets[o.Name] = "id of " + o.Name
	}
	specs := map[string]swarm.ServiceSpec{}
	for _, one := range stack.Services {
		if err := one.Bind(ids); err != nil {
			t.Fatal(err)
		}
		specs[one.Key] = one.Spec
	}
	return specs
}

// theirs is docker's loader and converter. Its environment is what the shell scripts around
// `docker stack deploy` would set.
func (s subject) theirs(t *testing.T) (map[string]swarm.ServiceSpec, *dockertypes.Config) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, s.file))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := dockerloader.ParseYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs(filepath.Dir(filepath.Join(s.dir, s.file)))
	if err != nil {
		t.Fatal(err)
	}
	env := maps.Clone(s.vars)
	for variable, file := range map[string]string{
		"PROJECT_PROD_NGINX_PROXY_CONFIG": "prod/nginx-proxy/default.conf",
		"PROJECT_PROD_BACKEND_CONFIG":     "prod/backend/config.toml",
		"PROJECT_DEV_BACKEND_CONFIG":      "dev/backend/config.toml",
	} {
		if content, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			sum := md5.Sum(content)
			env[variable] = strings.ToLower(variable + "_" + hex.EncodeToString(sum[:]))
		}
	}
	config, err := dockerloader.Load(dockertypes.ConfigDetails{
		WorkingDir: dir, Environment: env,
		ConfigFiles: []dockertypes.ConfigFile{{Filename: s.file, Config: parsed}},
	})
	if err != nil {
		t.Fatal(err)
	}
	specs, err := dockerconvert.Services(context.Background(), dockerconvert.NewNamespace("project_"+s.env), config, swarmWithAll{})
	if err != nil {
		t.Fatal(err)
	}
	return specs, config
}

// swarmWithAll has every config and secret that anybody asks for.
type swarmWithAll struct{ client.APIClient }

func (swarmWithAll) ConfigList(_ context.Context, o client.ConfigListOptions) (r client.ConfigListResult, err error) {
	for name := range o.Filters["name"] {
		r.Items = append(r.Items, swarm.Config{ID: "id of " + name, Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: name}}})
	}
	return r, nil
}

func (swarmWithAll) SecretList(_ context.Context, o client.SecretListOptions) (r client.SecretListResult, err error) {
	for name := range o.Filters["name"] {
		r.Items = append(r.Items, swarm.Secret{ID: "id of " + name, Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: name}}})
	}
	return r, nil
}

// The services that `docker stack deploy` would make of a manifest, but for the deviations.
func TestServicesAreDockersOwn(t *testing.T) {
	used := map[string]bool{}
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			ours := s.ours(t)
			theirs, config := s.theirs(t)
			m := s.load(t)
			if a, b := slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs)); !slices.Equal(a, b) {
				t.Fatalf("services %v, docker has %v", a, b)
			}
			for key, spec := range theirs {
				index := slices.IndexFunc(config.Services, func(c dockertypes.ServiceConfig) bool { return c.Name == key })
				for _, d := range deviations {
					before := toJSON(t, spec)
					d.apply(&change{spec: &spec, service: config.Services[index], manifest: m})
					used[d.name] = used[d.name] || toJSON(t, spec) != before
				}
				if diff := cmp.Diff(toJSON(t, spec), toJSON(t, ours[key])); diff != "" {
					t.Errorf("%s (- docker, + ours):\n%s", key, diff)
				}
			}
		})
	}
	for _, d := range deviations {
		if !used[d.name] {
			t.Errorf("deviation %q: nothing in the corpus shows it", d.name)
		}
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
