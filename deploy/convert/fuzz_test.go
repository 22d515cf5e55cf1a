package convert_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/deploy/convert"
	"slipway/deploy/manifest"
)

// Whatever a manifest that loads says, it becomes the same specs each time, whole ones under the
// stack's names, or errors with a file and a line.
func FuzzConvert(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds: ", err)
	}
	for _, file := range append(seeds, filepath.Join(seedDir, "manifests/docker-compose.prod.yaml"), filepath.Join(seedDir, "manifests/docker-compose.dev.yaml")) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "")
	}
	f.Add("services: {web: {image: a, ports: ['8000-8010:8000-8010', '53:53/udp']}}", "1.41")
	f.Add("services: {web: {image: a, deploy: {mode: replicated-job, replicas: 0}, volumes: ['group:x:/a', '/b'], tmpfs: ['/c:mode=1777,size=1g']}}", "1.25")
	f.Add("services: {web: {image: a, credential_spec: {config: c}, ulimits: {nofile: -1}}}\nconfigs: {c: {external: true}}", "1.44")
	f.Fuzz(func(t *testing.T, text, api string) {
		o := manifest.Options{FS: fstest.MapFS{"m.yaml": {Data: []byte(text)}, "a": {Data: []byte("a")}}, Files: []string{"m.yaml"}, Project: "shop", Env: "dev", Vars: map[string]string{"REGISTRY": "r.example.com", "TAG": "1"},
			Mounts: []string{"/", "/var/run/docker.sock", `\\.\pipe\docker_engine`}}
		var once []byte
		for range 2 {
			m, found := manifest.Load(o)
			if found.Err() != nil {
				return
			}
			s, err := convert.Convert(m, convert.Options{API: api})
			if err != nil {
				if !strings.Contains(err.Error(), "m.yaml:") && !strings.Contains(err.Error(), "API") {
					t.Fatalf("an error without a place: %v", err)
				}
				return
			}
			if err := s.Whole(); err != nil {
				t.Fatal(err)
			}
			for _, one := range s.Services {
				if !strings.HasPrefix(one.Spec.Name, "shop_dev_") {
					t.Errorf("the service %q is not the stack's", one.Spec.Name)
				}
				_ = one.Bind(convert.IDs{})
			}
			_ = s.Images()
			data, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if once != nil && string(data) != string(once) {
				t.Fatalf("one manifest became\n%s\nand\n%s", once, data)
			}
			once = data
		}
	})
}
