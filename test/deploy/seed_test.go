package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/progress"
	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
	"slipway/test/sshd"
)

// overrides are what the kernel of a test machine lacks: without IPVS there are no virtual IPs,
// and no routing mesh for ports. DATA is the database's directory, which on a server is below
// /data.
var overrides = map[string]string{
	"prod": `services:
  postgres: {ports: !reset [], volumes: !override ["DATA:/var/lib/postgresql/data"], deploy: {endpoint_mode: dnsrr}}
  backend: {deploy: {endpoint_mode: dnsrr}}
  frontend: {deploy: {endpoint_mode: dnsrr}}
  nginx-proxy: {ports: !reset [], deploy: {endpoint_mode: dnsrr}}
`,
	"dev": `services:
  backend: {ports: !reset [], deploy: {endpoint_mode: dnsrr}}
  frontend: {ports: !reset [], deploy: {endpoint_mode: dnsrr}}
`,
}

// The manifests of the article that many take theirs from deploy as they are, only
// PROJECT-NAME put in lower case, and a second deploy has nothing to write.
func TestTheSeedsManifests(t *testing.T) {
	t.Parallel()
	b := &bed{images: registry.Start(t, registry.Options{}), repo: gitrepo.New(t)}
	mirror := baseimage.Mirror(t, "nginx", "postgres:16.3-alpine")
	b.web(t, "project-name/backend/backend:20240727_a5fa34c7", 8080)
	b.web(t, "project-name/frontend/front:20240723_75abac12", 80)
	b.web(t, "project-name/frontend/front:20240711_24f93474", 80)
	b.docker = dockerd.Start(t, dockerd.Options{Mirrors: []string{mirror.Host}, InsecureRegistries: []string{b.images.Host}})
	docker := b.docker.Client
	_, err := docker.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"})
	must(t, err)
	b.server = sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(b.docker.Host, "unix://"), HostKeys: []string{"ed25519"}})
	b.env = []string{
		"SERVER_HOST=" + b.server.Address(), "USER_NAME=deploy", "SSH_PRIVATE_KEY=" + b.server.UserKey("deploy"), "SSH_KNOWN_HOSTS=" + b.server.KnownHosts(),
		"REGISTRY=" + b.images.Host, "SLIPWAY_PROGRESS=plain", "SLIPWAY_HOME=" + home, "USER=anna",
	}
	data := t.TempDir()
	must(t, os.Chmod(data, 0o777))
	b.seed(t, data)
	for name, value := range certificates(t) {
		_, err := docker.SecretCreate(t.Context(), client.SecretCreateOptions{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: name}, Data: []byte(value)}})
		must(t, err)
	}

	b.slipway(t, "deploy:env", "dev").Exits(t, 1).Says(t, "network project_prod_default") // prod goes first
	b.slipway(t, "deploy:env", "prod", "-timeout=90s").Exits(t, 0).Says(t, "project_prod release 1: done")
	b.slipway(t, "deploy:env", "dev", "-timeout=90s").Exits(t, 0).Says(t, "project_dev release 1: done")
	before := b.versions(t)
	for _, env := range []string{"prod", "dev"} {
		b.slipway(t, "deploy:env", env).Exits(t, 0).Says(t, "unchanged")
	}
	if after := b.versions(t); !maps.Equal(before, after) {
		t.Errorf("a second deploy has written:\nbefore %v\nafter  %v", before, after)
	}
}

// web pushes an image that answers on a port with what the seed's health checks ask for.
func (b *bed) web(t *testing.T, image string, port int) {
	t.Helper()
	base, err := baseimage.Build(t.Context(), "nginx", progress.Discard())
	must(t, err)
	file, err := base.ConfigFile()
	must(t, err)
	config := file.Config
	conf := "server { listen " + map[int]string{80: "80", 8080: "8080"}[port] + "; location / { return 200 ok; } }"
	config.Entrypoint, config.Cmd = nil, []string{"/bin/sh", "-c", "echo '" + conf + "' >/etc/nginx/conf.d/default.conf; exec nginx -g 'daemon off;'"}
	made, err := mutate.Config(base, config)
	must(t, err)
	write(t, b.images.Host+"/"+image, made)
}

func write(t *testing.T, image string, made v1.Image) {
	t.Helper()
	ref, err := name.ParseReference(image, name.Insecure)
	must(t, err)
	must(t, remote.Write(ref, made))
}

// seed fills the repository from the manifests' own copies, as their reader would.
func (b *bed) seed(t *testing.T, data string) {
	t.Helper()
	from := filepath.Join(home, "deploy", "manifest", "testdata", "seed", "manifests")
	err := filepath.WalkDir(from, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		b.repo.Write("manifests/"+filepath.ToSlash(rel), string(text))
		return err
	})
	must(t, err)
	settings := "project: project\nenvironments:\n"
	for env, text := range overrides {
		b.repo.Write("manifests/test."+env+".yaml", strings.ReplaceAll(text, "DATA", data))
		settings += "  " + env + ": {overrides: [manifests/test." + env + ".yaml]}\n"
	}
	b.repo.Write("slipway.yaml", settings)
	b.commit("seed")
}

// certificates are the seed's external secrets.
func certificates(t *testing.T) map[string]string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return map[string]string{
		"project-prod-postgres-passwd":         "a password of the tests",
		"project-prod-nginx-proxy-ca-crt":      certificate,
		"project-prod-nginx-proxy-project-crt": certificate,
		"project-prod-nginx-proxy-project-key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}
}
