package pipeline

import (
	"strings"
	"testing"
)

func TestParseDockerfile(t *testing.T) {
	for _, c := range []struct {
		about, file           string
		stages, bases, copies string
	}{
		{"scratch and a build argument", "FROM scratch\nARG SERVICE\nCOPY build/${SERVICE} /app\n", "", "", "build/ping"},
		{"the default Dockerfile's forms",
			"FROM scratch\nARG SERVICE\nARG DAEMON=${SERVICE}\nCOPY --chmod=0755 [\"build/${DAEMON:?give SERVICE}\", \"/app/service\"]\n", "", "", "build/ping"},
		{"several sources, cleaned", "FROM alpine\nCOPY ./a /b ../c d/ /to/\n", "", "alpine", "a b c d"},
		{"everything", "FROM alpine\nCOPY . /app\n", "", "alpine", "."},
		{"nothing of the context", "FROM alpine\nRUN true\n", "", "alpine", ""},
		{"stages by name and number are no images, the context is not what --from copies",
			"FROM golang:1.26 AS Build\nCOPY main.go .\nFROM build AS test\nFROM nginx\nCOPY --from=build /x /x\nCOPY --from=1 /y /y\nCOPY --from=redis:7 /z /z\n",
			"build test", "golang:1.26 nginx redis:7", "main.go"},
		{"global arguments in FROM and in stages that declare them",
			"ARG VERSION=3.20\nARG DIR=src\nFROM --platform=$BUILDPLATFORM alpine:${VERSION}\nARG DIR\nCOPY $DIR /x\n", "", "alpine:3.20", "src"},
		{"a stage that does not declare it does not have it, so all may be copied", "ARG DIR=src\nFROM alpine\nCOPY $DIR /x\n", "", "alpine", "."},
		{"a given argument wins over a default", "FROM alpine\nARG SERVICE=other\nCOPY $SERVICE /x\n", "", "alpine", "ping"},
		{"ENV, and the platform's arguments", "FROM alpine\nARG TARGETARCH\nENV DIR=conf/$TARGETARCH\nCOPY $DIR /x\n", "", "alpine", "conf/amd64"},
		{"what the base image's environment decides is not known", "FROM golang\nENV DIR=$GOPATH/x\nCOPY $DIR /x\n", "", "golang", "."},
		{"nor through an argument's default", "FROM golang\nARG DIR=$GOPATH/x\nCOPY $DIR /x\n", "", "golang", "."},
		{"wildcards stay patterns", "FROM alpine\nCOPY package*.json ./\n", "", "alpine", "package*.json"},
		{"here-documents are no files",
			"FROM alpine\nCOPY <<EOF /etc/x\nCOPY secret /x\nEOF\nRUN <<EOF\nCOPY y /y\nEOF\nCOPY <<A b /to/\nhi\nA\n", "", "alpine", "b"},
		{"addresses are no files", "FROM alpine\nADD https://example.com/x.tar.gz git@example.com:x/y.git /x/\nADD local.tar.gz /y\n", "", "alpine", "local.tar.gz"},
		{"a bind mount reads the context, other mounts do not",
			"FROM alpine AS a\nFROM alpine\nRUN --mount=type=bind,source=web,target=/w --mount=type=cache,target=/c --mount=from=a,target=/a --mount=type=secret,id=s cat /w\n",
			"a", "alpine", "web"},
		{"a bind mount of the whole context", "FROM alpine\nRUN --mount=target=/src make\n", "", "alpine", "."},
		{"a bind mount from an image", "FROM alpine\nRUN --mount=from=busybox,target=/b true\n", "", "alpine busybox", ""},
		{"ONBUILD runs in the stages that build on it", "FROM alpine AS base\nONBUILD COPY . /app\nFROM base\n", "base", "alpine", "."},
		{"and in no other", "FROM alpine\nONBUILD COPY . /app\n", "", "alpine", ""},
		{"another escape character", "# escape=`\nFROM alpine\nCOPY a `\n  b /x/\n", "", "alpine", "a b"},
		{"a syntax line, comments, continued lines", "# syntax=docker/dockerfile:1\n# hi\nfrom alpine\ncopy a \\\n# inside\n  b /x/\n", "", "alpine", "a b"},
	} {
		t.Run(c.about, func(t *testing.T) {
			d, err := parseDockerfile("Dockerfile", []byte(c.file), linux, []Var{{"SERVICE", "ping"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range []struct{ what, got, want string }{
				{"stages", strings.Join(d.Stages, " "), c.stages}, {"bases", strings.Join(d.Bases, " "), c.bases}, {"copies", strings.Join(d.Copies, " "), c.copies},
			} {
				if part.got != part.want {
					t.Errorf("%s: %q, want %q", part.what, part.got, part.want)
				}
			}
		})
	}
}

func TestADockerfileErrorHasItsFileAndLine(t *testing.T) {
	for file, want := range map[string]string{
		"":                                 "web/Dockerfile: file with no instructions",
		"# only\n":                         "web/Dockerfile:1: file with no instructions",
		"FORM alpine\n":                    "web/Dockerfile:1: unknown instruction: FORM (did you mean FROM?)",
		"FROM alpine\n\nCOPPY a b\n":       "web/Dockerfile:3: unknown instruction: COPPY (did you mean COPY?)",
		"FROM alpine\nCOPY a\n":            "web/Dockerfile:2: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
		"COPY a b\n":                       "web/Dockerfile:1: no build stage in current context",
		"ARG X\n":                          "web/Dockerfile:1: no stage: a Dockerfile starts with FROM",
		"FROM alpine\nCOPY <<EOF /x\nhi\n": "web/Dockerfile:2: unterminated heredoc",
		"FROM alpine\nRUN --mount=type=bind,source a\n": "web/Dockerfile:2: invalid field 'source' must be a key=value pair",
	} {
		_, err := parseDockerfile("web/Dockerfile", []byte(file), linux, nil)
		says(t, err, want)
	}
}

// contextOf is what the image build of web is given.
func contextOf(t *testing.T, f files) string {
	t.Helper()
	return strings.Join(f.plan(t, "web").Source("web/context").Files, " ")
}

func TestIgnoreFiles(t *testing.T) {
	web := files{
		"services/web/Dockerfile": "FROM scratch\nCOPY web /web\n", "services/web/index.html": "x", "services/web/notes.md": "x", "services/web/README.md": "x",
		"services/web/deep/notes.md": "x", "services/other/x": "x",
	}
	const all = "web/Dockerfile web/README.md web/deep/notes.md web/index.html web/notes.md"
	for _, c := range []struct {
		about string
		with  files
		want  string
	}{
		{"none", nil, all},
		{"patterns from the context's root", files{"services/.dockerignore": "web/*.md\n"}, "web/Dockerfile web/deep/notes.md web/index.html"},
		{"exceptions", files{"services/.dockerignore": "# prose\n**/*.md\n!web/README.md\n"}, "web/Dockerfile web/README.md web/index.html"},
		{"a directory, with an exception inside", files{"services/.dockerignore": "web\n!web/deep/notes.md\n"}, "web/deep/notes.md"},
		{"the one named after the Dockerfile wins", files{"services/.dockerignore": "web\n", "services/web/Dockerfile.dockerignore": "**/*.md\n**/Dockerfile*\n"}, "web/index.html"},
	} {
		if got := contextOf(t, web.with(c.with)); got != c.want {
			t.Errorf("%s: %q, want %q", c.about, got, c.want)
		}
	}
	r := web.with(files{"services/.dockerignore": "[\n"}).repo(t)
	_, err := r.Draft(&r.Services[0], request())
	says(t, err, "planning web: services/.dockerignore: syntax error in pattern")
}

func FuzzParseDockerfile(f *testing.F) {
	for _, seed := range []string{
		"FROM scratch\nARG A=${B:-c}\nCOPY --from=0 a b\n", "FROM a AS b\nRUN --mount=type=bind,from=$X,source=a,target=/b <<EOF\nEOF\n",
		"# escape=`\nFROM a\nONBUILD COPY . .\nADD [\"a\", \"b\"]\nENV A=\"$A\nHEALTHCHECK NONE\n", "ARG A\nFROM $A${A:?x}\nCOPY ${A/x/y} b\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseDockerfile("Dockerfile", data, linux, []Var{{"SERVICE", "ping"}})
		if err != nil {
			return
		}
		for _, c := range d.Copies {
			if c == "" || strings.HasPrefix(c, "/") || c == ".." || strings.HasPrefix(c, "../") {
				t.Errorf("%q copies %q, which is not in the context", data, c)
			}
		}
	})
}
