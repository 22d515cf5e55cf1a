package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"slipway/test/dockerd"
	"slipway/test/host"
)

// finding is one of server:doctor's, as JSON.
type finding struct{ Rule, Object, What, Why, Do string }

// doctor asks what is wrong.
func (b *bed) doctor(t *testing.T, known string) []finding {
	t.Helper()
	r := b.deploy(t, known, "server:doctor", "dev", "-json=true")
	var d struct {
		Findings []finding
		Notes    []string
	}
	if err := json.Unmarshal([]byte(r.Stdout), &d); err != nil {
		t.Fatalf("%v\n%s\n%s", err, r.Stdout, r.Stderr)
	}
	if want := min(len(d.Findings), 1); r.Code != want {
		t.Errorf("exit code %d with %d findings", r.Code, len(d.Findings))
	}
	t.Logf("notes: %q", d.Notes)
	return d.Findings
}

const ownRegistry = "registry.test:5000"

func TestTwoHostsWithARegistryOfTheirOwn(t *testing.T) {
	t.Parallel()
	lan := dockerd.NewLan(t)
	one := host.Start(t, host.Options{Name: "one", Lan: lan, Files: map[string]string{"/etc/hosts": "127.0.0.1 localhost\n10.77.0.1 registry.test\n"}})
	two := host.Start(t, host.Options{Name: "two", Lan: lan, Files: map[string]string{"/etc/hosts": "127.0.0.1 localhost\n" + one.IP + " registry.test\n"}})
	if one.IP != "10.77.0.1" {
		t.Fatalf("the first host has the address %s", one.IP)
	}
	b := newBed(t)
	b.towards(t, one)
	b.env = append(b.env, "REGISTRY="+ownRegistry, "REGISTRY_USER=ci", "REGISTRY_PASSWORD=CANARY of the registry")
	b.manifest("services:\n" + app("web", "      placement: {constraints: [node.hostname == two]}\n"))

	first := b.setup(t, "-registry="+ownRegistry).Exits(t, 0).Says(t, "changed: the registry runs, and starts with the host", "-registryCA=registry.crt")
	authority := one.Must("cat /etc/docker/registry/tls.crt")
	b.setup(t, "-registry="+ownRegistry).Exits(t, 0).Says(t, "nothing to change, all ")

	// The second admin's key is the second host's, and the manager is asked as who deploys.
	joining := []string{"SSH_KEY=" + b.key, "SERVER_ADMIN_KEY=" + b.write(t, "second_key", two.Key), "SSH_KNOWN_HOSTS=" + first.Stdout + two.KnownHosts}
	b.write(t, ".ssh/config", two.SSHConfig("two.example"))
	join := []string{"server:setup", "dev", "-host=two.example", "-join=manager", "-registryCA=" + b.write(t, "registry.crt", authority+"\n")}
	second := b.slipway(t, joining, join...).Exits(t, 0).Says(t, "changed: a manager of the Swarm at "+one.IP+":2377")
	b.slipway(t, joining, join...).Exits(t, 0).Says(t, "nothing to change, all ")
	b.slipway(t, joining, append(join[:3:3], "-join=worker")...).Exits(t, 2).Says(t, "this host is in the Swarm already, and no worker: let a manager run `docker node demote")
	for _, r := range []result{first, second} {
		if text := r.Stdout + r.Stderr; strings.Contains(text, "CANARY") || strings.Contains(text, "SWMTKN") {
			t.Errorf("a secret shows:\n%s", text)
		}
	}

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(authority))
	through := remote.WithTransport(&http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return one.Dial(ctx, network, one.IP+":5000")
		}, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	})
	push(t, ownRegistry, through, remote.WithAuth(&authn.Basic{Username: "ci", Password: "CANARY of the registry"}))

	known := first.Stdout + second.Stdout
	b.deploy(t, known, "deploy:env", "dev").Exits(t, 0).Says(t, "shop_dev release 1: done")
	if got := two.Must("docker ps --format '{{.Image}}'"); !strings.HasPrefix(got, ownRegistry+"/app") {
		t.Errorf("two runs %q", got)
	}

	t.Run("what is wrong is found", func(t *testing.T) {
		seed(t, one)
		found := map[string]string{}
		for _, f := range b.doctor(t, known) {
			if f.Rule != "room" { // this machine's disk is as full as it is
				found[f.Rule+" "+f.Object] = f.What
			}
		}
		for object, what := range map[string]string{
			"quorum managers":              "the Swarm has two managers",
			"health silent":                "silent has no health check, and its image brings none",
			"locks slipway-lock-left":      "the lock slipway-lock-left of anna (deploy) has not been kept alive for ",
			"certificates old-certificate": "the certificate in the config old-certificate (for old.example) has expired on ",
			"certificates served":          "the certificate that served shows on port 443 (for old.example) has expired on ",
			"credentials unpaid":           "a task of unpaid could not pull its image",
		} {
			if !strings.HasPrefix(found[object], what) {
				t.Errorf("%s: found %q, want %q", object, found[object], what)
			}
			delete(found, object)
		}
		if len(found) > 0 {
			t.Errorf("found besides: %v", found)
		}
		b.deploy(t, first.Stdout, "server:doctor", "dev").Exits(t, 1).Says(t, "note: two was not looked at: no host key is pinned for it", "quorum: the Swarm has two managers\n  why  both must be up", " problems")
	})
}

// seed makes things wrong in a Swarm.
func seed(t *testing.T, h *host.Host) {
	t.Helper()
	image := h.Must("docker service inspect shop_dev_web --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}'")
	certificate, key := expired(t)
	h.Must(fmt.Sprintf(`cat > /etc/ssl/old.pem <<'EOF'
%[1]sEOF
cat > /etc/ssl/old.key <<'EOF'
%[2]sEOF
docker config create old-certificate /etc/ssl/old.pem
printf held | docker config create -l slipway.lock.who=anna -l slipway.lock.reason=deploy -l slipway.lock.token=t -l slipway.lock.lease=1 slipway-lock-left -
docker login --username ci --password-stdin %[3]s <<'EOF' 2>/dev/null
CANARY of the registry
EOF
docker service create --with-registry-auth --name silent --config old-certificate --constraint node.hostname==two --detach --endpoint-mode dnsrr --quiet %[4]s
docker logout %[3]s
docker service create --name unpaid --health-cmd true --constraint node.hostname==one --restart-delay 1s --detach --endpoint-mode dnsrr --quiet --no-resolve-image %[4]s`,
		certificate, key, ownRegistry, image))
	await(t, "the task without credentials is refused", func() bool {
		out, err := h.Run(t.Context(), "docker service ps unpaid --no-trunc --format '{{.Error}}'")
		return err == nil && strings.Contains(out, "No such image")
	})
	// The image has no TLS server, and the host's openssl is one.
	h.Must("docker login --username ci --password-stdin " + ownRegistry + " <<'EOF' 2>/dev/null\nCANARY of the registry\nEOF\n" +
		"docker service create --with-registry-auth --name served --health-cmd true --constraint node.hostname==one --detach --endpoint-mode dnsrr --quiet" +
		" --publish mode=host,published=443,target=443 --mount type=bind,src=/,dst=/host " + image +
		" chroot /host openssl s_server -quiet -accept 443 -cert /etc/ssl/old.pem -key /etc/ssl/old.key; docker logout " + ownRegistry)
	await(t, "a certificate is served", func() bool {
		conn, err := h.Dial(t.Context(), "tcp", "127.0.0.1:443")
		if err != nil {
			return false
		}
		defer conn.Close()
		return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context()) == nil
	})
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func expired(t *testing.T) (certificate, private []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"old.example"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	must(t, err)
	text, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})
}
