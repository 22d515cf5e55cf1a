// Package server prepares bare hosts with the slipway binary, deploys to them, and asks what is
// wrong with them.
package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/crypto/ssh"

	"slipway/progress"
	"slipway/test/baseimage"
	"slipway/test/gitrepo"
	"slipway/test/host"
	"slipway/test/slipwaycmd"
	"slipway/test/sshd"
)

var binary *slipwaycmd.Binary

func TestMain(m *testing.M) {
	var err error
	if binary, err = slipwaycmd.Compile(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	binary.Remove()
	os.Exit(code)
}

// bed is a person with a repository, a laptop, and keys: one of the admins' and one for deploys.
type bed struct {
	repo   *gitrepo.Repo
	laptop string // the home directory
	key    string // the private key of deploys
	env    []string
	count  int // of commits
}

func newBed(t testing.TB) *bed {
	t.Helper()
	b := &bed{repo: gitrepo.New(t), laptop: t.TempDir()}
	key, public := sshd.NewKey(t, "ed25519", "")
	b.key = key
	b.write(t, "deploy_key", key)
	b.write(t, "deploy_key.pub", string(ssh.MarshalAuthorizedKey(public)))
	b.repo.Write("slipway.yaml", "project: shop\n")
	b.repo.Commit("settings", gitrepo.Epoch)
	return b
}

func (b *bed) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(b.laptop, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// towards are the settings of an environment whose server is h.
func (b *bed) towards(t testing.TB, h *host.Host) {
	b.env = []string{"SERVER_HOST=deploy@" + h.Address(), "SERVER_ADMIN_KEY=" + b.write(t, "admin_key", h.Key), "SSH_KNOWN_HOSTS=" + h.KnownHosts, "SERVER_DIR=/srv/shop/dev"}
}

// manifest commits the manifest of dev.
func (b *bed) manifest(text string) {
	b.repo.Write("manifests/docker-compose.dev.yaml", text)
	b.count++
	b.repo.Commit("manifest", gitrepo.Epoch.Add(time.Duration(b.count)*time.Minute))
}

// setup runs server:setup with the public key of deploys.
func (b *bed) setup(t testing.TB, args ...string) result {
	t.Helper()
	return b.slipway(t, nil, append([]string{"server:setup", "dev", "-deployKey=" + filepath.Join(b.laptop, "deploy_key.pub")}, args...)...)
}

// deploy runs a command as whoever deploys, who has pinned these lines and no admin's key.
func (b *bed) deploy(t testing.TB, known string, args ...string) result {
	t.Helper()
	return b.slipway(t, []string{"SSH_KEY=" + b.key, "SSH_KNOWN_HOSTS=" + known, "SERVER_ADMIN_KEY="}, args...)
}

// slipway runs the binary to its end.
func (b *bed) slipway(t testing.TB, env []string, args ...string) result {
	t.Helper()
	cmd := exec.Command(binary.Path, args...)
	cmd.Dir = b.repo.Dir
	cmd.Env = append(append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.laptop, "SLIPWAY_HOME=" + binary.Home, "SLIPWAY_PROGRESS=plain", "USER=anna",
	}, b.env...), env...)
	began := time.Now()
	r := slipwaycmd.Launch(t, cmd).Wait(t, 4*time.Minute)
	t.Logf("slipway %s took %s", args[0], time.Since(began).Round(100*time.Millisecond))
	return r
}

type result = slipwaycmd.Result

// app is a service that runs, healthy, in the image of that name.
func app(name string, more ...string) string {
	return "  " + name + `:
    image: ${REGISTRY}/app:1
    stop_grace_period: 1s
    healthcheck: {test: ["CMD", "true"], interval: 500ms, timeout: 5s, start_period: 500ms}
    deploy:
      endpoint_mode: dnsrr
      update_config: {monitor: 1s}
` + strings.Join(more, "")
}

// push makes the image app:1 in a registry, which transport leads to.
func push(t testing.TB, registry string, options ...remote.Option) {
	t.Helper()
	base, err := baseimage.Build(t.Context(), "alpine", progress.Discard())
	must(t, err)
	file, err := base.ConfigFile()
	must(t, err)
	config := file.Config
	config.Cmd = []string{"/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"}
	made, err := mutate.Config(base, config)
	must(t, err)
	ref, err := name.ParseReference(registry + "/app:1")
	must(t, err)
	must(t, remote.Write(ref, made, options...))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
