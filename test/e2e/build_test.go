package e2e

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/test/gitrepo"
)

func TestBuildService(t *testing.T) {
	r := sample(t, "alpha", "beta")
	r.Git("remote", "add", "origin", "https://robot:hunter2@git.example.com/group/sample.git")
	tag := "20240725_" + r.Head()[:8]
	first := in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
	img, config := image(t, r, "alpha")
	want := "alpha " + tag + " " + digest(t, img) + "\n"
	if first.Stdout != want {
		t.Errorf("stdout is\n%s, want\n%s", first.Stdout, want)
	}

	t.Run("binary", func(t *testing.T) {
		cmd := exec.Command(file(r, "build/alpha"))
		cmd.Env = []string{"VERSION=" + tag}
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "hello alpha "+tag+"\n" {
			t.Errorf("build/alpha says %q: %v", out, err)
		}
		if strings.Contains(read(t, file(r, "build/alpha")), tag) {
			t.Error("the version is in the binary: one content would give two binaries")
		}
	})
	t.Run("image", func(t *testing.T) {
		if got, want := contents(t, img), `drwxr-xr-x 0:0 1980-01-01 app
-rwxr-xr-x 0:0 1980-01-01 app/service
drwxr-xr-x 0:0 1980-01-01 etc
drwxr-xr-x 0:0 1980-01-01 etc/ssl
drwxr-xr-x 0:0 1980-01-01 etc/ssl/certs
-rw-r--r-- 0:0 1980-01-01 etc/ssl/certs/ca-certificates.crt
`; got != want {
			t.Errorf("the image has\n%s, want\n%s", got, want)
		}
		c := config.Config
		if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/app/service"}) || c.Healthcheck == nil || !slices.Contains(c.Env, "VERSION="+tag) {
			t.Errorf("the image's config is %+v", c)
		}
		if want := labels(r, "alpha"); !maps.Equal(c.Labels, want) {
			t.Errorf("the labels are %v, want %v", c.Labels, want)
		}
		if !config.Created.Equal(gitrepo.Epoch) {
			t.Errorf("created %s, want the commit's time %s", config.Created, gitrepo.Epoch)
		}
		for _, h := range config.History {
			if !h.Created.Equal(gitrepo.Epoch) {
				t.Errorf("the history has %s for %q", h.Created, h.CreatedBy)
			}
		}
		manifest, err := img.Manifest()
		must(t, err)
		if want := labels(r, "alpha"); !maps.Equal(manifest.Annotations, want) {
			t.Errorf("the annotations are %v, want %v", manifest.Annotations, want)
		}
	})
	t.Run("reports", func(t *testing.T) { checkReports(t, r) })
	t.Run("run record", func(t *testing.T) {
		rec := readRecord(t, r)
		s := rec.Services[0]
		if !rec.OK || rec.Branch != "main" || len(rec.Services) != 1 || s.Service != "alpha" || s.Tag != tag || s.Commit != r.Head() ||
			len(s.Inputs) != 64 || s.Go != goVersion(t) || s.Image != "alpha" || s.Digest != digest(t, img) || s.Error != "" {
			t.Errorf("build/run.json has %+v", rec)
		}
		for _, step := range s.Steps {
			if step.State != "done" && step.State != "cached" {
				t.Errorf("%s: %s", step.Name, step.State)
			}
		}
	})
	t.Run("git sees nothing", func(t *testing.T) {
		if got := r.Git("status", "--porcelain"); got != "" {
			t.Errorf("after the build git status says\n%s", got)
		}
	})
	t.Run("a second run finds everything", func(t *testing.T) {
		second := in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
		if second.Stdout != want {
			t.Errorf("stdout is\n%s, want\n%s", second.Stdout, want)
		}
		for step, state := range readRecord(t, r).states(t, "alpha") {
			if state != "cached" {
				t.Errorf("%s: %s", step, state)
			}
		}
	})
	t.Run("from a subdirectory", func(t *testing.T) {
		must(t, os.RemoveAll(file(r, "build")))
		sub := in(file(r, "services/beta")).slipway(t, "build:service", "alpha").Exits(t, 0)
		if _, err := os.Stat(file(r, "build/alpha")); err != nil || sub.Stdout != want {
			t.Errorf("stdout is\n%s, want\n%s\n%v", sub.Stdout, want, err)
		}
	})
}

// labels are what an image of a sample at its first commit carries.
func labels(r *gitrepo.Repo, service string) map[string]string {
	return map[string]string{
		"org.opencontainers.image.created":  gitrepo.Epoch.Format(time.RFC3339),
		"org.opencontainers.image.revision": r.Head(),
		"org.opencontainers.image.source":   "https://git.example.com/group/sample",
		"org.opencontainers.image.title":    service,
		"org.opencontainers.image.version":  "20240725_" + r.Head()[:8],
	}
}

// junit is what GitLab and Jenkins read of a JUnit report.
type junit struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Suites   []struct {
		Name  string `xml:"name,attr"`
		Cases []struct {
			Name    string  `xml:"name,attr"`
			Failure *string `xml:"failure"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t testing.TB, r *gitrepo.Repo, service string) junit {
	t.Helper()
	var j junit
	must(t, xml.Unmarshal([]byte(read(t, file(r, "build/reports/"+service+".junit.xml"))), &j))
	return j
}

func checkReports(t *testing.T, r *gitrepo.Repo) {
	t.Helper()
	j := readJUnit(t, r, "alpha")
	var cases []string
	for _, s := range j.Suites {
		for _, c := range s.Cases {
			cases = append(cases, s.Name+" "+c.Name)
		}
	}
	slices.Sort(cases)
	if j.Tests != 2 || j.Failures != 0 || !slices.Equal(cases, []string{"sample/alpha TestMessage", "sample/greet TestHello"}) {
		t.Errorf("JUnit: %d tests, %d failures, %q", j.Tests, j.Failures, cases)
	}

	var coverage struct {
		Sources []string `xml:"sources>source"`
		Classes []struct {
			Filename string `xml:"filename,attr"`
		} `xml:"packages>package>classes>class"`
	}
	must(t, xml.Unmarshal([]byte(read(t, file(r, "build/reports/alpha.cobertura.xml"))), &coverage))
	var files []string
	for _, c := range coverage.Classes {
		files = append(files, c.Filename)
		if _, err := os.Stat(file(r, c.Filename)); err != nil {
			t.Errorf("Cobertura names a file that is not in the repository: %v", err)
		}
	}
	slices.Sort(files)
	if files = slices.Compact(files); !slices.Equal(files, []string{"services/alpha/main.go", "services/greet/greet.go"}) {
		t.Errorf("Cobertura: %q", files)
	}
	// GitLab drops files whose source is not a directory of the job (Test coverage
	// visualization, "Cobertura class path correction").
	for _, s := range coverage.Sources {
		if path.IsAbs(s) {
			t.Errorf("Cobertura: the source %s is a path of the container", s)
		}
	}

	var quality []any
	must(t, json.Unmarshal([]byte(read(t, file(r, "build/reports/alpha.codequality.json"))), &quality))
	if len(quality) != 0 {
		t.Errorf("code quality: %v", quality)
	}
}
