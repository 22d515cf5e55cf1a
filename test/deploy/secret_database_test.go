package deploy

import (
	"os"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
	"slipway/test/sshd"
)

// tell is the command that README and the refusal name.
const tell = `{ printf "alter role current_user password \$pw\$"; cat; printf "\$pw\$"; } | psql -q -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres`

// login lets itself in over the network, where a password is asked for, with the one of the
// container's secret.
const login = `PGPASSWORD=$(cat /run/secrets/pw) psql -h "$(hostname -i | cut -d' ' -f1)" -U shop -d postgres -tAc "select 'let in'"`

// TestSecretRotateOfADatabase rotates the password of a real PostgreSQL with its data on a disk.
func TestSecretRotateOfADatabase(t *testing.T) {
	k := keepSecrets(t, databaseBed(t))
	data := t.TempDir()
	must(t, os.Chmod(data, 0o777))
	k.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {timeout: 60s}}\n")
	k.manifest(t, "dev", `services:
  db:
    image: postgres:16.3-alpine
    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD_FILE: /run/secrets/pw}
    secrets: [pw]
    volumes: ["`+data+`:/var/lib/postgresql/data"]
    healthcheck: {test: "pg_isready -h 127.0.0.1 -U shop", interval: 300ms, timeout: 5s, retries: 100, start_period: 1s}
    deploy: {endpoint_mode: dnsrr, restart_policy: {condition: on-failure, delay: 200ms}, update_config: {order: stop-first, failure_action: rollback, monitor: 1s}}
`+strings.ReplaceAll(picky("app", "depends_on: [db]"), "tls", "pw")+`
secrets: {pw: {external: true, name: repo-pw}}
`)
	k.run(canary+"-1", nil, "secret:set", "dev", "pw").Exits(t, 0)
	k.run("", nil, "deploy:env", "dev").Exits(t, 0)
	before := k.versions(t)

	// Without a command it would lock everybody out, and one that fails changes nothing.
	k.run(canary+"-2", nil, "secret:rotate", "dev", "pw").Exits(t, 2).Says(t, "db reads the secret repo-pw only when it makes its data", "-command='"+tell+"'")
	k.run(canary+"-2", nil, "secret:rotate", "dev", "pw", `-command=echo "cannot: $(cat)" >&2; exit 4`).Exits(t, 1).
		Says(t, "the command ended with exit code 4:\ncannot: ***", "No service was changed, and the old value is in effect")
	if after := k.versions(t); len(after) != len(before) || after["service repo_dev_db"] != before["service repo_dev_db"] {
		t.Errorf("a rotation that was refused has written:\nbefore %v\nafter  %v", before, after)
	}

	// The command has to be seen by whoever looks at processes, so that the watch for the value
	// there is one.
	k.run(canary+"-2", nil, "secret:rotate", "dev", "pw", "-command=sleep 0.2; "+tell+"; sleep 0.2").Exits(t, 0).Says(t, "release 2: done")
	k.has("repo_dev_db", "pw", canary+"-2")
	k.has("repo_dev_app", "pw", canary+"-2")
	if got := k.inside("repo_dev_db", login); got != "let in\n" {
		t.Errorf("with the new password the database says %q", got)
	}
	if got := k.inside("repo_dev_db", strings.Replace(login, "$(cat /run/secrets/pw)", "c4n4ry-old", 1)); !strings.Contains(got, "authentication failed") {
		t.Errorf("with a wrong password the database says %q", got)
	}
	k.wantSecrets("repo-pw_v2") // no database takes the first, whoever has recorded it

	// An earlier release comes back with the password that the database takes now.
	k.run("", nil, "deploy:rollback", "dev", "-to=1").Exits(t, 0)
	k.has("repo_dev_db", "pw", canary+"-2")
	k.run("", nil, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")

	// A value that a service does not take, once the database has it: the way on and the way
	// back are told, and both lead there.
	k.run(canary+"-unusable", nil, "secret:rotate", "dev", "pw", "-command="+tell).Exits(t, 7).
		Says(t, "the database has the new value of repo-pw, which is the secret repo-pw_v3, and takes no other", "to go back, run secret:rotate with the old value and the same -command")
	k.run(canary+"-2", nil, "secret:rotate", "dev", "pw", "-command="+tell).Exits(t, 0)
	if got := k.inside("repo_dev_db", login); got != "let in\n" {
		t.Errorf("after going back the database says %q", got)
	}
	k.run("", nil, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
	k.wantSecrets("repo-pw_v4")
}

// databaseBed is a bed whose daemon finds PostgreSQL's image under its usual name.
func databaseBed(t *testing.T) *bed {
	t.Helper()
	t.Parallel()
	mirror := baseimage.Mirror(t, "postgres:16.3-alpine")
	b := &bed{images: registry.Start(t, registry.Options{}), repo: gitrepo.New(t)}
	b.push(t, "app:good", "good")
	b.docker = dockerd.Start(t, dockerd.Options{Mirrors: []string{mirror.Host}, InsecureRegistries: []string{b.images.Host}})
	_, err := b.docker.Client.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"})
	must(t, err)
	b.server = sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(b.docker.Host, "unix://"), HostKeys: []string{"ed25519"}})
	b.env = []string{
		"SERVER_HOST=deploy@" + b.server.Address(), "SSH_KEY=" + b.server.UserKey("deploy"), "SSH_KNOWN_HOSTS=" + b.server.KnownHosts(),
		"REGISTRY=" + b.images.Host, "SLIPWAY_PROGRESS=plain", "SLIPWAY_HOME=" + home, "USER=anna",
	}
	return b
}
