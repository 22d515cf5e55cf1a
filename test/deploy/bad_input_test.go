package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
	"slipway/test/sshd"
)

// Each bad input gives its sentence and exit code, and nothing is written.
func TestBadInput(t *testing.T) {
	b := newBed(t)
	good := stack(service("web", "good"))
	b.manifest(t, "dev", good)
	b.manifest(t, "prod", good)
	b.manifest(t, "yaml", "services: [\n")
	b.manifest(t, "vars", "services:\n  web:\n    image: ${NOWHERE}/app:good\n")
	externals := strings.ReplaceAll(service("web", "good", "networks: [away]", "secrets: [gone, lost]", "configs: [none]"), "\n\n", "\n")
	b.manifest(t, "externals", stack(externals)+"networks: {away: {external: true}}\nsecrets: {gone: {external: true}, lost: {external: true}}\nconfigs: {none: {external: true}}\n")
	b.manifest(t, "tag", strings.Replace(good, "app:good", "app:19990101_00000000", 1))
	b.manifest(t, "big", stack(service("web", "good", "configs: [big]"))+"configs: {big: {file: ./big/file}}\n")
	b.repo.Write("manifests/big/file", strings.Repeat("x", 1000<<10))
	b.manifest(t, "nowhere", stack(service("web", "good", "deploy: {endpoint_mode: dnsrr, placement: {constraints: [node.labels.disk == ssd]}}")))
	b.manifest(t, "bind", stack(service("web", "good", "volumes: ['/srv/not-there:/data', '/tmp:/more']")))
	b.commit("all")
	other, _ := sshd.NewKey(t, "ed25519", "")
	_, strange := sshd.NewKey(t, "ed25519", "")
	before := b.versions(t)
	for _, c := range []struct {
		name string
		args []string
		env  []string
		code int
		says string
	}{
		{"unknown environment", []string{"deploy:env", "stage"}, nil, 2, `there is no environment "stage": manifests/docker-compose.stage.yaml does not exist; there are `},
		{"a flag in a name's place", []string{"deploy:env", "-json=true"}, nil, 2, "names come first"},
		{"YAML", []string{"deploy:env", "yaml"}, nil, 2, "manifests/docker-compose.yaml.yaml:"},
		{"undefined variable", []string{"deploy:env", "vars"}, nil, 2, "manifests/docker-compose.vars.yaml:3: error: services.web.image"},
		{"missing externals", []string{"deploy:env", "externals"}, nil, 1, "secret gone, secret lost, config none, network away"},
		{"missing tag", []string{"deploy:env", "tag"}, nil, 1, "there is no image"},
		{"config too large", []string{"deploy:env", "big"}, nil, 2, "configs.big"},
		{"no node fits", []string{"deploy:env", "nowhere"}, nil, 1, "service web fits on no node: it wants node.labels.disk == ssd"},
		{"a bind mount's source is missing", []string{"deploy:env", "bind"}, nil, 1, "service web mounts /srv/not-there, which is not there on "},
		{"no server", []string{"deploy:env", "dev"}, []string{"SERVER_HOST="}, 2, "no server is named for dev: set SERVER_HOST (or DEV_SERVER_HOST)"},
		{"unknown host key", []string{"deploy:env", "dev"}, []string{"SSH_KNOWN_HOSTS=example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8HHWcBKwJSQrNjyqGH+x3cpCFCAOQv1l5U0TmzFs1K"}, 1, "its host key is not pinned"},
		{"wrong host key", []string{"deploy:env", "dev"}, []string{"SSH_KNOWN_HOSTS=" + b.server.Line(strange)}, 1, "host key"},
		{"wrong SSH key", []string{"deploy:env", "dev"}, []string{"SSH_KEY=" + other}, 1, "authorized_keys"},
		{"no right to Docker", []string{"deploy:env", "dev"}, []string{"SERVER_HOST=guest@" + b.server.Address(), "SSH_KEY=" + b.server.UserKey("guest")}, 1, "the user guest may not use Docker"},
		{"prod from a branch", []string{"deploy:env", "prod"}, []string{"CI_COMMIT_BRANCH=feature"}, 2, "prod is deployed from main only, and this is the branch feature"},
		{"prod from nowhere", []string{"deploy:env", "prod"}, []string{"CI_COMMIT_TAG=v1"}, 2, "HEAD is on no branch"},
		{"half of the credentials", []string{"deploy:env", "dev"}, []string{"REGISTRY_USER=anna"}, 2, "REGISTRY_USER and REGISTRY_PASSWORD belong together"},
		{"a bad time", []string{"deploy:env", "dev", "-timeout=soon"}, nil, 2, "-timeout=soon is no time"},
		{"no such plan", []string{"deploy:env", "dev", "-plan=none.json"}, nil, 2, "reading the saved plan"},
		{"no release to go back to", []string{"deploy:rollback", "dev"}, nil, 2, "there is no record of any release of repo_dev"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.with(t, c.env, c.args...).Exits(t, c.code).Says(t, c.says)
			if after := b.versions(t); !maps.Equal(before, after) {
				t.Errorf("something was written: %v", after)
			}
		})
	}
}

func TestNotASwarm(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	d := dockerd.Start(t, dockerd.Options{})
	b.with(t, []string{"SERVER_HOST=local", "DOCKER_HOST=" + d.Host}, "deploy:env", "dev").Exits(t, 1).Says(t, "swarm init")
}

func TestANameThatBelongsToAnotherStack(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	_, err := b.docker.Client.ServiceCreate(t.Context(), client.ServiceCreateOptions{Spec: swarm.ServiceSpec{
		Annotations:  swarm.Annotations{Name: "repo_dev_web"},
		TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: b.images.Host + "/app:good"}},
		EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR},
	}})
	must(t, err)
	b.slipway(t, "deploy:env", "dev").Exits(t, 1).Says(t, "there is a service repo_dev_web already, and it belongs to no stack")
}

func TestAModeChangeNeedsPermission(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "good", "deploy: {mode: global, endpoint_mode: dnsrr}")))
	before := b.versions(t)
	b.slipway(t, "deploy:env", "dev").Exits(t, 1).Says(t, "its mode changes from replicated to global", "-allowReplace=true")
	if after := b.versions(t); !maps.Equal(before, after) {
		t.Error("a refused deploy has written")
	}
	b.slipway(t, "deploy:env", "dev", "-allowReplace=true").Exits(t, 0)
}

func TestASavedPlanIsRefusedWhenTheSwarmHasMoved(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "good2")))
	file := filepath.Join(t.TempDir(), "plan.json")
	b.slipway(t, "deploy:plan", "dev", "-out="+file).Exits(t, 0)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the plan file: %v (%v)", info, err)
	}
	b.slipway(t, "deploy:env", "dev", "-image=app=sick", "-plan="+file).Exits(t, 0)
	b.runs(t, "repo_dev_web", "good2") // as planned, whatever the manifest or flags say now
	b.slipway(t, "deploy:env", "dev", "-plan="+file).Exits(t, 6).Says(t, "service/repo_dev_web was changed", "make a new plan")
}
