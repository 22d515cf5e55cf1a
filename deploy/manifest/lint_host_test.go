package manifest_test

import (
	"strings"
	"testing"

	"slipway/deploy/manifest"
)

// What gives a service the node itself is refused with its line, unless it is allowed by name.
func TestMountsOfTheNodeAreRefused(t *testing.T) {
	for mount, why := range map[string]string{
		`/:/host`:    "/ is the whole node",
		`/:/host:ro`: "/ is the whole node",
		`{type: bind, source: /srv/.., target: /host, read_only: true}`:                     "/ is the whole node",
		`/run/docker.sock:/run/docker.sock`:                                                 "root on the node",
		`/var/run/docker.sock:/var/run/docker.sock:ro`:                                      "root on the node",
		`/srv/elsewhere/docker.sock:/s`:                                                     "root on the node",
		`/run/containerd/containerd.sock:/s`:                                                "root on the node",
		`{type: npipe, source: '\\.\pipe\docker_engine', target: '\\.\pipe\docker_engine'}`: "root on the node",
		`/var/run:/a:ro`:                   "/var/run is the node's own",
		`/run/:/a:ro`:                      "/run is the node's own",
		`/var/lib/docker/containers:/a:ro`: "keys, passwords or the data",
		`/root/.ssh:/a:ro`:                 "keys, passwords or the data",
		`/home/anna/.ssh:/a:ro`:            "keys, passwords or the data",
		`/etc/shadow:/a:ro`:                "keys, passwords or the data",
		`/etc:/a:ro`:                       "/etc is the node's own",
		`/etc/cron.d:/a`:                   "whoever writes there rules it",
		`/usr:/a`:                          "whoever writes there rules it",
		`/proc/sys/kernel/core_pattern:/a`: "whoever writes there rules it",
		`root:/a`:                          "/ is the whole node",
		`disk:/a`:                          "whoever writes there rules it",
	} {
		text := "services:\n  web:\n    image: example/web\n    volumes:\n      - " + mount + `
    deploy: {mode: global}
volumes:
  root: {driver_opts: {type: none, o: "bind,ro", device: /}}
  disk: {driver: local, driver_opts: {type: ext4, device: /dev/sda1}}
`
		o := options(text)
		o.Mounts = nil
		found := manifest.Lint(o)
		if len(found) != 1 || found[0].Severity != manifest.Error || found[0].Line != 5 || !strings.Contains(found[0].Message, why) {
			t.Errorf("%s: want %q, got\n%s", mount, why, found)
			continue
		}
		_, allow, _ := strings.Cut(found[0].Do, "environments.dev.mounts: [")
		o.Mounts = []string{strings.TrimSuffix(allow, "]")}
		if found := manifest.Lint(o); len(found) > 0 {
			t.Errorf("%s is allowed by %v:\n%s", mount, o.Mounts, found)
		}
	}
}

func TestAllowedMountsAreExact(t *testing.T) {
	for _, c := range []struct{ allowed, mount string }{
		{"/:ro", "/:/host"},
		{"/", "/var/run/docker.sock:/s"},
		{"/var/lib/docker", "/var/lib/docker/volumes:/a"},
		{"/run/docker.sock", "/run/containerd/containerd.sock:/s"},
	} {
		o := options("services: {web: {image: example/web, volumes: ['" + c.mount + "']}}")
		o.Mounts, o.Origin = []string{c.allowed}, "prod"
		if err := manifest.Lint(o).Err(); err == nil || !strings.Contains(err.Error(), "environments.prod.mounts") {
			t.Errorf("%s is allowed by %s: %v", c.mount, c.allowed, err)
		}
	}
}

// What describes a node, and what is a service's own, is mounted as ever.
func TestOrdinaryMountsStay(t *testing.T) {
	o := options(`services:
  web:
    image: example/web
    volumes:
      - /proc:/host/proc:ro
      - /sys:/host/sys:ro
      - /dev/disk:/dev/disk:ro
      - /etc/localtime:/etc/localtime:ro
      - /etc/ssl/certs:/etc/ssl/certs:ro
      - /etc/letsencrypt:/etc/letsencrypt
      - /usr/share/zoneinfo:/usr/share/zoneinfo:ro
      - /var/log:/var/log:ro
      - /data/shop/data/prod/postgres:/var/lib/postgresql/data
      - /var/lib/shop:/data
      - /home/deploy/shop:/shop
      - nfs:/nfs
      - cifs:/cifs
    deploy: {mode: global}
volumes:
  nfs: {driver_opts: {type: nfs, o: "addr=10.0.0.1,ro", device: ":/srv"}}
  cifs: {driver_opts: {type: cifs, o: "username=anna", device: //root/share}}
`)
	o.Mounts = nil
	if found := manifest.Lint(o); len(found) > 0 {
		t.Errorf("found\n%s", found)
	}
}
