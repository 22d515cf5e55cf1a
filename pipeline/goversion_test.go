package pipeline

import "testing"

func TestTheGoVersionIsWhatTheModuleNames(t *testing.T) {
	for _, c := range []struct{ mod, work, want string }{
		{"go 1.26.8\n", "", "1.26.8"},
		{"go 1.26\n", "", "1.26.0"},
		{"go 1.27rc1\n", "", "1.27rc1"},
		{"go 1.20\n", "", "1.21.0"},
		{"go 1.21.0\ntoolchain go1.26.8\n", "", "1.26.8"},
		{"go 1.26.8\ntoolchain default\n", "", "1.26.8"},
		{"go 1.26.8\ntoolchain go1.26.1\n", "", "1.26.8"}, // the go line is a minimum
		{"go 1.24.0\n", "go 1.26.8\nuse .\n", "1.26.8"},
		{"go 1.24.0\n", "go 1.25.0\ntoolchain go1.26.1\nuse .\n", "1.26.1"},
	} {
		f := files{"go.mod": "module example.com/shop\n\n" + c.mod, "services/ping/main.go": mainGo}
		if c.work != "" {
			f["go.work"] = c.work
		}
		closure, err := f.tree().goClosure("services/ping", "services/ping", "linux", "amd64")
		if err != nil {
			t.Fatal(err)
		}
		got, err := closure.goVersion()
		if err != nil || got != c.want {
			t.Errorf("%q, go.work %q: %s, %v, want %s", c.mod, c.work, got, err, c.want)
		}
	}
	for mod, want := range map[string]string{
		"module x\n": "go.mod: no go line says which Go builds it: run `go mod edit -go=1.26.0` there",
		"module x\ngo 1.26.8\ntoolchain go1.26.8-custom\n": `go.mod:3: toolchain "go1.26.8-custom" is no Go release: write it like go1.26.8`,
	} {
		m, err := files{"go.mod": mod}.tree().findModule(".")
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.goVersion()
		says(t, err, want)
	}
	_, err := files{"go.mod": "module x\ngo one\n"}.tree().findModule(".")
	says(t, err, "go.mod:2: invalid go version 'one': must match format 1.23.0")
	_, err = files{"go.mod": "go 1.26.0\n"}.tree().findModule(".")
	says(t, err, "go.mod:1: no module line: run `go mod init` there")
	_, err = files{"services/ping/main.go": mainGo}.tree().findModule("services/ping")
	says(t, err, "services/ping has Go code, but there is no go.mod in it or above it: run `go mod init` there")
}
