package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"slipway/magefiles/launch"
	"slipway/pipeline"
	"slipway/registry"
	"slipway/secret"
	"slipway/secret/reference"
)

// machine is what the process's environment says, read in this one place.
type machine struct {
	engine, dockerHost, progress string
	cacheDir, home               string
	registry                     string
	mirrors                      []string
	toolchain                    string
	credentials                  *registry.Credentials
}

func readEnvironment() (machine, error) {
	e := machine{
		engine: os.Getenv("SLIPWAY_ENGINE"), dockerHost: os.Getenv("DOCKER_HOST"), progress: os.Getenv("SLIPWAY_PROGRESS"),
		registry:  firstEnv("REGISTRY", "CI_REGISTRY_IMAGE"),
		toolchain: os.Getenv("SLIPWAY_TOOLCHAIN"),
		mirrors:   strings.FieldsFunc(os.Getenv("REGISTRY_MIRROR"), func(r rune) bool { return r == ',' || r == ' ' }),
	}
	user, password := firstEnv("REGISTRY_USER", "CI_REGISTRY_USER"), firstEnv("REGISTRY_PASSWORD", "CI_REGISTRY_PASSWORD")
	if user != "" || password != "" {
		if user == "" || password == "" {
			return e, badInput{fmt.Errorf("REGISTRY_USER and REGISTRY_PASSWORD belong together, and one of them is not set")}
		}
		e.credentials = &registry.Credentials{User: user, Password: secret.New(password)}
	}
	var err error
	if e.cacheDir, err = launch.CacheDir(); err != nil {
		return e, err
	}
	e.home = slipwayHome()
	return e, nil
}

// login gives the credentials for the registry, nil for none. A password may be there by
// reference, which is followed only where it is needed.
func (m machine) login(ctx context.Context) (*registry.Credentials, error) {
	if m.credentials == nil || !reference.Is(m.credentials.Password.Reveal()) {
		return m.credentials, nil
	}
	home, _ := os.UserHomeDir()
	password, err := (&reference.Resolver{Env: os.Getenv, Home: home}).Resolve(ctx, m.credentials.Password.Reveal())
	if err != nil {
		return nil, fmt.Errorf("REGISTRY_PASSWORD is %w", err)
	}
	out := *m.credentials
	out.Password = password
	return &out, nil
}

func firstEnv(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}

// slipwayHome is slipway's own source, where the embedded engine's server is compiled
// from: the launcher names it, and without one the binary remembers where it was compiled.
func slipwayHome() string {
	if dir := os.Getenv(launch.HomeVar); dir != "" {
		return dir
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// caBundles are the places where systems keep their CA bundle (crypto/x509, root_linux.go).
var caBundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}

// goSettings are the variables of the go command that say where modules come from and
// whom to trust for them.
var goSettings = []string{"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOAUTH"}

// hostSecrets are this machine's files that steps mount: how to reach modules and packages from here.
func hostSecrets() map[string][]byte {
	out := map[string][]byte{}
	for _, f := range append([]string{os.Getenv("SSL_CERT_FILE")}, caBundles...) {
		if data, err := os.ReadFile(f); f != "" && err == nil {
			out[pipeline.SecretCA] = data
			break
		}
	}
	var env bytes.Buffer
	if dir, err := os.UserConfigDir(); err == nil {
		for _, line := range strings.Split(readFile(filepath.Join(dir, "go", "env")), "\n") {
			if name, _, ok := strings.Cut(line, "="); ok && slices.Contains(goSettings, name) && os.Getenv(name) == "" {
				env.WriteString(line + "\n")
			}
		}
	}
	for _, name := range goSettings {
		if v := os.Getenv(name); v != "" {
			env.WriteString(name + "=" + v + "\n")
		}
	}
	if env.Len() > 0 {
		out[pipeline.SecretGoEnv] = env.Bytes()
	}
	for secret, at := range map[string]struct{ variable, file string }{
		pipeline.SecretNetrc: {"NETRC", ".netrc"},
		pipeline.SecretNpmrc: {"NPM_CONFIG_USERCONFIG", ".npmrc"},
	} {
		file := os.Getenv(at.variable)
		if home, err := os.UserHomeDir(); file == "" && err == nil {
			file = filepath.Join(home, at.file)
		}
		if data := readFile(file); data != "" {
			out[secret] = []byte(data)
		}
	}
	return out
}

// readFile returns a file's content, "" where it cannot be read.
func readFile(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(data)
}
