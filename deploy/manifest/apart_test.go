package manifest_test

import (
	"strings"
	"testing"
	"testing/fstest"
)

const apart = `
services:
  web:
    image: a
    ports: ["8080:80", {target: 81, published: 81, mode: host}, {target: 82}]
    networks: [inner, outer, fixed]
    configs: [app, mine, theirs]
    secrets: [shared, key]
    volumes:
      - data:/data
      - fixed:/fixed
      - lent:/lent
      - lent:/lent-to-read:ro
      - nfs:/nfs
      - /srv/dev:/srv/app
      - /srv/dev:/srv/again
      - /srv/dev:/srv/read:ro
      - /var/run/docker.sock:/var/run/docker.sock
      - /proc:/host/proc
  other:
    image: a
    volumes: [/srv/dev:/x]
networks: {inner: {}, outer: {external: true, name: proxy}, fixed: {name: dev-net}}
volumes:
  data: {}
  fixed: {name: dev-data}
  lent: {external: true, name: dev-lent}
  nfs: {driver_opts: {type: nfs, o: "addr=nas,rw", device: ":/srv/dev"}}
configs:
  app: {name: "${DEV_APP}", file: app.toml}
  mine: {file: app.toml}
  theirs: {external: true}
secrets:
  shared: {external: true, name: dev-password}
  key: {name: fixed-key, file: app.toml}
`

func TestApartSharesNothingButWhatIsExternal(t *testing.T) {
	o := options(apart)
	o.Env = "mr-1"
	m := load(t, o)
	notes := m.Apart()
	for key, want := range map[string]string{"inner": "shop_mr-1_inner", "outer": "proxy", "fixed": "shop_mr-1_fixed"} {
		if got := m.Project.Networks[key].Name; got != want {
			t.Errorf("network %s is called %s, want %s", key, got, want)
		}
	}
	for key, want := range map[string]string{"data": "shop_mr-1_data", "fixed": "shop_mr-1_fixed", "lent": "dev-lent"} {
		if got := m.Project.Volumes[key].Name; got != want {
			t.Errorf("volume %s is called %s, want %s", key, got, want)
		}
	}
	for key, prefix := range map[string]string{"app": "shop_mr-1_app_", "mine": "shop_mr-1_mine_", "theirs": "theirs"} {
		if got := m.Configs[key].Name; !strings.HasPrefix(got, prefix) {
			t.Errorf("config %s is called %s", key, got)
		}
	}
	if a, b := m.Secrets["shared"].Name, m.Secrets["key"].Name; a != "dev-password" || !strings.HasPrefix(b, "shop_mr-1_key_") {
		t.Errorf("secrets are called %s and %s", a, b)
	}
	mounts := map[string]string{}
	for _, v := range m.Project.Services["web"].Volumes {
		mounts[v.Target] = v.Type + " " + v.Source
	}
	for target, stays := range map[string]string{"/data": "volume data", "/fixed": "volume fixed", "/lent-to-read": "volume lent", "/srv/read": "bind /srv/dev", "/var/run/docker.sock": "bind /var/run/docker.sock", "/host/proc": "bind /proc"} {
		if mounts[target] != stays {
			t.Errorf("%s is %s, want %s", target, mounts[target], stays)
		}
	}
	for _, target := range []string{"/lent", "/nfs", "/srv/app"} {
		kind, source, _ := strings.Cut(mounts[target], " ")
		own := m.Project.Volumes[source]
		if kind != "volume" || !strings.HasPrefix(own.Name, "shop_mr-1_") || bool(own.External) || len(own.DriverOpts) > 0 {
			t.Errorf("%s is %s: %+v", target, mounts[target], own)
		}
	}
	if a, b := mounts["/srv/app"], mounts["/srv/again"]; a != b || a != "volume "+m.Project.Services["other"].Volumes[0].Source {
		t.Errorf("one directory has become several volumes: %s, %s", a, b)
	}
	for _, p := range m.Project.Services["web"].Ports {
		if p.Published != "" {
			t.Errorf("port %d is published as %s", p.Target, p.Published)
		}
	}
	text := strings.Join(notes, "\n")
	for _, want := range []string{
		"service web has an empty volume at /lent, and not the external volume dev-lent",
		"service web has an empty volume at /nfs, and not the volume nfs on :/srv/dev",
		"service web has an empty volume at /srv/app, and not the directory /srv/dev",
		"service other has an empty volume at /x, and not the directory /srv/dev",
		"service web does not publish port 8080 here: Swarm allots another",
		"service web does not publish port 81 here: Swarm allots another",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q, but:\n%s", want, text)
		}
	}
	if len(notes) != 7 { // and /srv/again
		t.Errorf("%d notes:\n%s", len(notes), text)
	}
}

// Two contents have two names, also where the manifest fixes one.
func TestApartKeepsVersionsApart(t *testing.T) {
	names := map[string]bool{}
	for _, content := range []string{"a = 1\n", "a = 2\n"} {
		o := options(apart)
		o.FS.(fstest.MapFS)["manifests/app.toml"] = &fstest.MapFile{Data: []byte(content)}
		m := load(t, o)
		m.Apart()
		names[m.Configs["app"].Name], names[m.Secrets["key"].Name] = true, true
	}
	if len(names) != 4 {
		t.Errorf("%v", names)
	}
}
