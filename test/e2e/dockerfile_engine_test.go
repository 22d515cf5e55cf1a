package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/baseimage"
)

// alpine serves the base image alpine:3.20 and an engine that takes it from there.
func alpine(t *testing.T) (env []string) {
	t.Helper()
	mirror := baseimage.Mirror(t, "alpine:3.20")
	return []string{"SLIPWAY_CACHE=" + ownCache(t), "REGISTRY_MIRROR=" + mirror.Host}
}

// lastBlock is what a failed call says last: from its last "✗" on.
func lastBlock(r result) string {
	i := strings.LastIndex(r.Stderr, "✗")
	return r.Stderr[max(i, 0):]
}

func TestAFailedDockerfileSaysWhereAndWhatToDo(t *testing.T) {
	env := alpine(t)
	for _, test := range []struct {
		name, dockerfile, says string
	}{
		{"run", "FROM alpine:3.20\nRUN true\nRUN echo compiling the thing && \\\n    exit 3\n", `✗ image box failed with exit status 3

services/box/Dockerfile:3: compiling the thing

Repeat only this: go tool mage build:service box
`},
		{"copy", "FROM alpine:3.20\nCOPY app.txt missing.txt /\n", `✗ missing.txt is not in the build context, which is services/box without what git or .dockerignore ignores: name the file relative to that, or set services: {box: {context: services/box}} in slipway.yaml

services/box/Dockerfile:2: missing.txt is not in the build context, which is services/box without what git or .dockerignore ignores: name the file relative to that, or set services: {box: {context: services/box}} in slipway.yaml

Repeat only this: go tool mage build:service box
`},
		{"ignored", "FROM alpine:3.20\nCOPY secret.txt /\n", `✗ secret.txt is not in the build context`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := packed(t, map[string]string{"Dockerfile": test.dockerfile, "app.txt": "app\n", "secret.txt": "secret\n"})
			res := in(r.Dir, env...).slipway(t, "build:service", "box").Exits(t, 1)
			if got := lastBlock(res); !strings.HasPrefix(got, test.says) {
				t.Errorf("it ended with:\n%s\nwant:\n%s", got, test.says)
			}
			if res.Stdout != "" {
				t.Errorf("stdout has %q", res.Stdout)
			}
			left, err := os.ReadDir(filepath.Join(r.Dir, "build"))
			must(t, err)
			if len(left) != 2 || left[0].Name() != "report.html" || left[1].Name() != "run.json" {
				t.Errorf("build/ has %v, want report.html and run.json alone", left)
			}
		})
	}
}

func TestABaseImageThatIsNowhereNamesWhereItWasLookedFor(t *testing.T) {
	env := alpine(t)
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch AS other\nCOPY . /\nFROM alpine:9.99\nCOPY --from=other / /\n"})
	res := in(r.Dir, env...).slipway(t, "build:service", "box").Exits(t, 1)
	mirror := strings.TrimPrefix(env[1], "REGISTRY_MIRROR=")
	for _, want := range []string{
		"✗ a base image is not to be had: ", "alpine:9.99",
		"Tried: the mirrors " + mirror + " (REGISTRY_MIRROR) and the registry that its name says. Check the image's name and tag, or set REGISTRY_MIRROR to a registry that has it",
		"services/box/Dockerfile:3: ",
	} {
		if !strings.Contains(lastBlock(res), want) {
			t.Errorf("it does not say %q, but:\n%s", want, lastBlock(res))
		}
	}
}

func TestStagesNamedLintAndTestAreTheChecksOfAServiceWithoutGo(t *testing.T) {
	env := alpine(t)
	dockerfile := `FROM alpine:3.20 AS base
COPY app.txt /
FROM base AS lint
RUN echo lint was here && ! grep bad-style /app.txt
FROM base AS test
RUN echo test was here && ! grep bug /app.txt
FROM base
CMD ["cat", "/app.txt"]
`
	r := packed(t, map[string]string{"Dockerfile": dockerfile, "app.txt": "fine\n"})
	res := in(r.Dir, env...).slipway(t, "build:service", "box").Exits(t, 0)
	for _, want := range []string{"lint was here", "test was here", "lint box", "test box"} {
		if !strings.Contains(res.Stderr, want) {
			t.Errorf("it does not show %q:\n%s", want, res.Stderr)
		}
	}
	if !strings.HasPrefix(res.Stdout, "box 20240725_") || !strings.Contains(res.Stdout, " sha256:") {
		t.Errorf("stdout: %q", res.Stdout)
	}

	r.Write("services/box/app.txt", "bad-style\n")
	r.Commit("Break its style", later(1))
	res = in(r.Dir, env...).slipway(t, "build:service", "box").Exits(t, 1)
	if got := lastBlock(res); !strings.HasPrefix(got, "✗ lint box failed with exit status 1\n\nservices/box/Dockerfile:4: lint was here\nbad-style\n\nRepeat only this: go tool mage build:lint box\n") {
		t.Errorf("it ended with:\n%s", got)
	}
	in(r.Dir, env...).slipway(t, "build:test", "box").Exits(t, 0)
	if res = in(r.Dir, env...).slipway(t, "build:lint", "box").Exits(t, 1); strings.Contains(res.Stderr, "test was here") {
		t.Errorf("build:lint ran the tests:\n%s", res.Stderr)
	}

	r.Write("services/box/app.txt", "a bug\n")
	r.Commit("Break its tests", later(2))
	res = in(r.Dir, env...).slipway(t, "build:service", "box").Exits(t, 1)
	if got := lastBlock(res); !strings.HasPrefix(got, "✗ test box failed with exit status 1\n\nservices/box/Dockerfile:6: test was here\na bug\n\nRepeat only this: go tool mage build:test box\n") {
		t.Errorf("it ended with:\n%s", got)
	}
}
