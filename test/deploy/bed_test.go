// Package deploy deploys for real: the slipway binary, over SSH, to a Docker daemon in a Swarm
// of its own, with images from a registry. Nothing of it is the machine's.
package deploy

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/client"

	"slipway/progress"
	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
	"slipway/test/slipwaycmd"
	"slipway/test/sshd"
)

var (
	binary string
	home   string
)

func TestMain(m *testing.M) {
	code, err := prepare(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepare(m *testing.M) (int, error) {
	compiled, err := slipwaycmd.Compile()
	if err != nil {
		return 1, err
	}
	defer compiled.Remove()
	binary, home = compiled.Path, compiled.Home
	// Deploys wait for the most part, and each test has a daemon of its own.
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		if err := f.Value.Set("6"); err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}

// bed is a server with a one-node Swarm behind sshd, a registry, and a repository whose
// environment "dev" is deployed there.
type bed struct {
	docker *dockerd.Daemon
	server *sshd.Server
	images *registry.Registry
	repo   *gitrepo.Repo
	env    []string
	login  []remote.Option // to the registry
	count  int             // of commits
}

// users of the server: deploy may use Docker, and guest may not.
var users = []sshd.User{{Name: "deploy", Docker: true}, {Name: "guest"}}

// newBed starts it all, and lets the test run beside others. The registry has "app" with the
// tags of modes.
func newBed(t testing.TB) *bed {
	t.Helper()
	return newBedFor(t, nil)
}

// newBedFor has a registry for these users alone, by their passwords.
func newBedFor(t testing.TB, people map[string]string) *bed {
	t.Helper()
	if p, ok := t.(interface{ Parallel() }); ok {
		p.Parallel()
	}
	b := &bed{images: registry.Start(t, registry.Options{Users: people})}
	for user, password := range people {
		b.login = []remote.Option{remote.WithAuth(&authn.Basic{Username: user, Password: password})}
	}
	for _, mode := range modes {
		b.push(t, "app:"+mode, mode)
	}
	b.docker = dockerd.Start(t, dockerd.Options{InsecureRegistries: []string{b.images.Host}})
	if _, err := b.docker.Client.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	b.server = sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(b.docker.Host, "unix://"), HostKeys: []string{"ed25519"}})
	b.repo = gitrepo.New(t)
	b.repo.Write("slipway.yaml", "project: repo\n")
	b.env = []string{
		"SERVER_HOST=deploy@" + b.server.Address(), "SSH_KEY=" + b.server.UserKey("deploy"), "SSH_KNOWN_HOSTS=" + b.server.KnownHosts(),
		"REGISTRY=" + b.images.Host, "SLIPWAY_PROGRESS=plain", "SLIPWAY_HOME=" + home, "USER=anna",
	}
	return b
}

// modes are what the app of these tests does: it runs, runs as a newer version, ends at once,
// runs and is not healthy, or ends as a job does.
var modes = []string{"good", "good2", "crash", "sick", "job", "badjob"}

// program is the app: its image's mode says how it behaves.
const program = `echo "app in mode $MODE"
case $MODE in
crash) echo "boom: no database" >&2; exit 3;;
job) echo migrated; exit 0;;
badjob) echo "cannot migrate" >&2; exit 4;;
esac
trap 'exit 0' TERM
while :; do sleep 0.2; done`

// push makes an image of the app.
func (b *bed) push(t testing.TB, image, mode string) {
	t.Helper()
	base, err := baseimage.Build(t.Context(), "alpine", progress.Discard())
	must(t, err)
	file, err := base.ConfigFile()
	must(t, err)
	config := file.Config
	config.Env = append(config.Env, "MODE="+strings.TrimRight(mode, "0123456789"), "VERSION="+mode)
	config.Cmd = []string{"/bin/sh", "-c", program}
	made, err := mutate.Config(base, config)
	must(t, err)
	ref, err := name.ParseReference(b.images.Host+"/"+image, name.Insecure)
	must(t, err)
	must(t, remote.Write(ref, made, b.login...))
}

// manifest commits the manifest of an environment. "APP:x" stands for the app's image in mode
// x with what every service needs here: no virtual IP, and quick checks.
func (b *bed) manifest(t testing.TB, env, text string) {
	t.Helper()
	b.repo.Write("manifests/docker-compose."+env+".yaml", text)
	b.commit("manifest of " + env)
}

func (b *bed) commit(message string) {
	b.count++
	b.repo.Commit(message, gitrepo.Epoch.Add(time.Duration(b.count)*time.Minute))
}

// service is a service of a manifest, in the app's mode, with more lines.
func service(name, mode string, more ...string) string {
	text := fmt.Sprintf(`  %s:
    image: ${REGISTRY}/app:%s
    stop_grace_period: 1s
    healthcheck:
      test: ["CMD-SHELL", "echo checked $$MODE; [ $$MODE != sick ]"]
      interval: 300ms
      timeout: 5s
      retries: 2
      start_period: 200ms
`, name, mode)
	deploy := `    deploy:
      endpoint_mode: dnsrr
      restart_policy: {condition: on-failure, delay: 200ms}
      update_config: {order: start-first, failure_action: rollback, monitor: 1s}
      rollback_config: {parallelism: 0, monitor: 500ms}
`
	for _, m := range more {
		if strings.HasPrefix(m, "deploy:") {
			deploy = "    " + m + "\n"
			continue
		}
		text += "    " + m + "\n"
	}
	return text + deploy
}

func stack(services ...string) string { return "services:\n" + strings.Join(services, "") }

// slipway runs the binary in the repository to its end. Nothing of the caller's own settings
// reaches it.
func (b *bed) slipway(t testing.TB, args ...string) result { return b.start(t, nil, args...).wait(t) }

func (b *bed) with(t testing.TB, env []string, args ...string) result {
	return b.start(t, env, args...).wait(t)
}

func (b *bed) start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = b.repo.Dir
	cmd.Env = append(append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, b.env...), env...)
	return &process{slipwaycmd.Launch(t, cmd)}
}

type process struct{ *slipwaycmd.Process }

func (p *process) wait(t testing.TB) result {
	t.Helper()
	return p.Wait(t, 2*time.Minute)
}

type result = slipwaycmd.Result

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition of the outside world.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}
