package deploy

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"slipway/engine/dagger"
)

// TestTheDaggerModule calls the module's functions on a real Dagger engine, from another
// repository: publish to a registry, and deploy to a real Swarm over SSH.
func TestTheDaggerModule(t *testing.T) {
	if !dagger.There(t.Context()) {
		t.Skip("NOT RUN: there is no Dagger engine. Put Dagger's CLI v0.21.8 on PATH, with Docker or " + dagger.RunnerHost + " naming its engine")
	}
	b := newBed(t)
	images, server := forward(t, b.images.Host), forward(t, b.server.Address())
	known := strings.ReplaceAll(b.server.KnownHosts(), bracketed(t, b.server.Address()), bracketed(t, server.address))
	b.repo.Write("services/hello/Dockerfile", "FROM scratch\nCOPY hello/hello.txt /\n")
	b.repo.Write("services/hello/hello.txt", "hello\n")
	b.manifest(t, "dev", strings.ReplaceAll(stack(service("web", "good")), "${REGISTRY}", b.images.Host))
	call := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("dagger", append([]string{
			"--silent", "call", "--mod", home, "--source", b.repo.Dir, "--registry", images.address, "--server-host", "deploy@" + server.address,
			"--ssh-key", "env:MODULE_TEST_KEY", "--ssh-known-hosts", "env:MODULE_TEST_HOSTS", "--user", "anna",
		}, args...)...)
		var log strings.Builder
		cmd.Stderr, cmd.Env = &log, append(os.Environ(), "MODULE_TEST_KEY="+b.server.UserKey("deploy"), "MODULE_TEST_HOSTS="+known)
		out, err := cmd.Output()
		if strings.Contains(string(out)+log.String(), b.server.UserKey("deploy")) {
			t.Errorf("%s shows the SSH key", args[0])
		}
		if err != nil {
			t.Fatalf("dagger call %s: %v\n%s%s", strings.Join(args, " "), err, out, log.String())
		}
		return string(out)
	}

	if out := call("lint-manifest", "--env", "dev"); !strings.Contains(out, "repo_dev can be deployed") {
		t.Errorf("lint-manifest: %s", out)
	}
	published := strings.Fields(call("publish", "--service", "hello"))
	if len(published) != 3 || published[0] != "hello" {
		t.Fatalf("publish: %q", published)
	}
	ref, err := name.ParseReference(b.images.Host+"/hello:"+published[1], name.Insecure)
	must(t, err)
	if there, err := remote.Head(ref); err != nil || there.Digest.String() != published[2] {
		t.Errorf("the registry has %v (%v), and publish says %s", there, err, published[2])
	}

	var verdict struct {
		Release int
		Exit    int
	}
	must(t, json.Unmarshal([]byte(call("deploy", "--env", "dev", "--as-json")), &verdict))
	if verdict.Release != 1 || verdict.Exit != 0 || len(b.running(t, "repo_dev_web")) != 1 {
		t.Errorf("the first deploy gives %+v", verdict)
	}
	before, tasks := server.accepted.Load(), b.running(t, "repo_dev_web")
	must(t, json.Unmarshal([]byte(call("deploy", "--env", "dev", "--as-json")), &verdict))
	if server.accepted.Load() == before {
		t.Error("the second deploy did not reach the server: Dagger answered from its cache")
	}
	for id := range b.running(t, "repo_dev_web") {
		if tasks[id] == "" {
			t.Errorf("the second deploy, of nothing new, made the task %s", id)
		}
	}
	for _, function := range []string{"plan", "status", "history"} {
		if out := call(function, "--env", "dev"); out == "" {
			t.Errorf("%s says nothing", function)
		}
	}

	b.manifest(t, "dev", strings.ReplaceAll(stack(service("web", "good2")), "${REGISTRY}", b.images.Host))
	must(t, json.Unmarshal([]byte(call("deploy", "--env", "dev", "--as-json")), &verdict))
	for _, image := range b.running(t, "repo_dev_web") {
		if !strings.Contains(image, ":good2") {
			t.Errorf("after the deploy of another version %s runs", image)
		}
	}
	must(t, json.Unmarshal([]byte(call("rollback", "--env", "dev", "--as-json")), &verdict))
	for _, image := range b.running(t, "repo_dev_web") {
		if strings.Contains(image, ":good2") || verdict.Exit != 0 {
			t.Errorf("after the rollback %s runs, and it gives %+v", image, verdict)
		}
	}
}

// forwarded is a server of loopback at an address that containers reach.
type forwarded struct {
	address  string
	accepted atomic.Int32
}

// forward passes connections to one of this machine's private addresses on to target.
func forward(t *testing.T, target string) *forwarded {
	t.Helper()
	l, err := net.Listen("tcp4", net.JoinHostPort(private(t), "0"))
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	f := &forwarded{address: l.Addr().String()}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			f.accepted.Add(1)
			go func() {
				defer func() { _ = in.Close() }()
				out, err := net.Dial("tcp4", target)
				if err != nil {
					return
				}
				defer func() { _ = out.Close() }()
				go func() { _, _ = io.Copy(out, in); _ = out.(*net.TCPConn).CloseWrite() }()
				_, _ = io.Copy(in, out)
			}()
		}
	}()
	return f
}

// private is an address of this machine's in a private network (RFC 1918), for which images are
// pushed without TLS.
func private(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsPrivate() {
			return ip.IP.String()
		}
	}
	t.Skip("NOT RUN: this machine has no private IPv4 address for containers to reach it by")
	return ""
}

// bracketed is an address as known_hosts has it.
func bracketed(t *testing.T, address string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	must(t, err)
	return "[" + host + "]:" + port
}
