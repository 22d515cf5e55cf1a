package manifest_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"slipway/deploy/manifest"
	"slipway/secret"
)

var update = flag.Bool("update", false, "write testdata/findings.txt anew")

// options are those of all tests here: a few files, a few variables, one of them secret.
func options(contents ...string) manifest.Options {
	o := manifest.Options{
		Project: "shop", Env: "dev",
		Vars:   map[string]string{"KNOWN": "known", "REGISTRY": "registry.example.com", "CANARY": "c4n4ry-c4n4ry"},
		Secret: []secret.Value{secret.New("c4n4ry-c4n4ry"), secret.New("")},
		Mounts: []string{"/var/run/docker.sock", "/proc", "/etc:ro"},
	}
	fsys := fstest.MapFS{
		"manifests/app.toml":   {Data: []byte("a = 1\n")},
		"manifests/other.toml": {Data: []byte("a = 2\n")},
		"manifests/empty":      {},
		"manifests/large":      {Data: make([]byte, 1000*1024)},
		"manifests/web.env":    {Data: []byte("FROM_FILE=${KNOWN}\nBOTH=file\nBAD=$NOWHERE\n")},
	}
	for i, c := range contents {
		name := []string{"manifests/m.yaml", "manifests/over.yaml", "manifests/third.yaml"}[i]
		fsys[name] = &fstest.MapFile{Data: []byte(c)}
		o.Files = append(o.Files, name)
	}
	o.FS = fsys
	return o
}

// testdata/findings.txt has a manifest (overrides after "+++") and, after "---", all that is
// said about it.
func TestFindings(t *testing.T) {
	data, err := os.ReadFile("testdata/findings.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, block := range strings.Split("\n"+string(data), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		content, want, _ := strings.Cut("\n"+rest+"\n", "\n---\n")
		content = strings.TrimPrefix(content, "\n")
		var files []string
		for _, f := range strings.Split(content, "\n+++\n") {
			files = append(files, f+"\n")
		}
		got := manifest.Lint(options(files...)).String()
		out.WriteString("=== " + name + "\n" + content + "\n---\n" + got)
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); diff != "" && !*update {
				t.Errorf("(- expected, + found):\n%s", diff)
			}
			if strings.Contains(got, "c4n4ry-c4n4ry") {
				t.Error("a secret's value is shown")
			}
		})
	}
	if *update {
		if err := os.WriteFile("testdata/findings.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A terminal takes orders from what a manifest may hold; a finding shows them, and gives none.
func TestFindingsGiveATerminalNoOrders(t *testing.T) {
	found := manifest.Lint(options("services:\n  \"we\\e[2J\\u202eb\": {image: \"a b\\e]0;x\\a\"}\n  web: {image: a, \"ima\\rge\": x, networks: [\"\\e[31m\"], labels: {A: \"${\\e[1m}\"}}\n"))
	if text := found.String(); found.Err() == nil || !strings.Contains(text, `we\x1b[2J\u202eb`) || strings.ContainsAny(text, "\x1b\x07\r\u202e") {
		t.Errorf("found %q", text)
	}
}
