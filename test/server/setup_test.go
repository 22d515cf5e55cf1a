package server

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"slipway/test/host"
	"slipway/test/registry"
)

// files lists what a setup could have changed on a host, a line each with time and size.
func files(h *host.Host) []string {
	return strings.Split(h.Must("find /etc /usr /home /root /srv /opt /var/lib/dpkg /var/lib/docker-registry -printf '%p %T@ %m %u %s\\n' 2>/dev/null | sort || true"), "\n")
}

// unchanged wants the files to be as they were.
func unchanged(t *testing.T, h *host.Host, before []string) {
	t.Helper()
	was := map[string]bool{}
	for _, f := range before {
		was[f] = true
	}
	after := files(h)
	for _, f := range after {
		if !was[f] {
			t.Errorf("this was changed: %s", f)
		}
	}
	if len(before) != len(after) || len(after) < 1000 {
		t.Errorf("there were %d files and are %d", len(before), len(after))
	}
}

func TestABareHost(t *testing.T) {
	t.Parallel()
	images := registry.Start(t, registry.Options{})
	push(t, images.Host)
	h := host.Start(t, host.Options{
		Name: "one", Reach: []string{images.Host},
		Files: map[string]string{"/etc/docker/daemon.json": `{"labels": ["kept=yes"]}`},
	})
	b := newBed(t)
	b.towards(t, h)
	b.env = append(b.env, "REGISTRY="+images.Host)
	b.manifest("services:\n" + app("web"))

	t.Run("a dry run shows the commands and runs none", func(t *testing.T) {
		before := files(h)
		r := b.setup(t, "-dryRun=true", "-mirror=http://mirror.example").Exits(t, 0).Says(t,
			"apt-get -qq -y", "docker.io ca-certificates", "useradd --create-home", "docker swarm init --advertise-addr "+h.IP, "/usr/sbin/sshd -t",
			"steps would be done, and nothing was changed", "who may use Docker is root on that host", "firewall: let the other nodes")
		unchanged(t, h, before)
		if out, err := h.Run(t.Context(), "command -v dockerd || id deploy"); err == nil {
			t.Errorf("it installed or made %s", out)
		}
		if strings.Contains(r.Stdout, "note:") || !strings.HasPrefix(r.Stdout, "# ") {
			t.Errorf("stdout is no script:\n%s", r.Stdout)
		}
	})

	known := b.setup(t, "-mirror=http://mirror.example").Exits(t, 0).Says(t, "changed: the user deploy, who deploys").Stdout
	if strings.Count(known, "\n") != 1 {
		t.Fatalf("stdout is not one line of known_hosts:\n%s", known)
	}

	t.Run("what it installed works, and what was there is kept", func(t *testing.T) {
		got := h.Must(`docker info --format '{{.Labels}} {{.RegistryConfig.Mirrors}} {{.Swarm.LocalNodeState}} {{.Swarm.NodeAddr}}'; systemctl is-enabled docker`)
		if want := "[kept=yes] [http://mirror.example/] active " + h.IP + "\nenabled"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := h.Must("sshd -T | grep -E '^(passwordauthentication|permitrootlogin|maxstartups) '"); got != "permitrootlogin without-password\npasswordauthentication no\nmaxstartups 30:30:100" {
			t.Errorf("sshd's settings are %q", got)
		}
	})

	t.Run("a deploy works as the user that it made", func(t *testing.T) {
		b.deploy(t, known, "deploy:env", "dev").Exits(t, 0).Says(t, "shop_dev release 1: done")
		if got := h.Must("cat /srv/shop/dev/manifests/docker-compose.dev.yaml && stat -c %U /srv/shop"); !strings.Contains(got, "image: ${REGISTRY}/app:1") || !strings.HasSuffix(got, "deploy") {
			t.Errorf("the environment's files are %q", got)
		}
	})

	t.Run("that user's key opens no terminal", func(t *testing.T) {
		signer, err := ssh.ParsePrivateKey([]byte(b.key))
		must(t, err)
		client, err := ssh.Dial("tcp", h.Address(), &ssh.ClientConfig{User: "deploy", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
			HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error { return nil }})
		must(t, err)
		defer client.Close()
		session, err := client.NewSession()
		must(t, err)
		if err := session.RequestPty("xterm", 24, 80, nil); err == nil {
			t.Error("a terminal was opened")
		}
	})

	t.Run("a second run changes nothing and says so, whoever the admin is", func(t *testing.T) {
		before := files(h)
		again := b.setup(t, "-mirror=http://mirror.example").Exits(t, 0).Says(t, "nothing to change, all ")
		b.setup(t, "-mirror=http://mirror.example", "-admin="+host.Admin).Exits(t, 0).Says(t, "nothing to change, all ")
		b.env = append(b.env, "SERVER_ADMIN_PASSWORD="+host.ClerkPassword)
		clerk := b.setup(t, "-mirror=http://mirror.example", "-admin="+host.Clerk, "-dryRun=true").Exits(t, 0).Says(t, ": 0 of ")
		if strings.Contains(clerk.Stdout+clerk.Stderr, host.ClerkPassword) {
			t.Error("the password shows")
		}
		b.env = b.env[:len(b.env)-1]
		if unchanged(t, h, before); again.Stdout != known {
			t.Errorf("it says %q where it said %q", again.Stdout, known)
		}
	})

	t.Run("an admin who cannot become root is told why", func(t *testing.T) {
		b.setup(t, "-admin="+host.Clerk).Exits(t, 1).Says(t, "cannot become root there without a password", "set SERVER_ADMIN_PASSWORD")
		r := b.slipway(t, []string{"SERVER_ADMIN_PASSWORD=wrong CANARY"}, "server:setup", "dev", "-deployKey="+b.laptop+"/deploy_key.pub", "-admin="+host.Clerk).Exits(t, 1).Says(t, "check SERVER_ADMIN_PASSWORD")
		if strings.Contains(r.Stdout+r.Stderr, "CANARY") {
			t.Error("the password shows")
		}
	})

	t.Run("a change touches only what it is about", func(t *testing.T) {
		before := h.Must("docker ps -q --no-trunc")
		b.setup(t, "-mirror=http://mirror.example,https://second.example").Exits(t, 0).Says(t, "changed: Docker's settings in /etc/docker/daemon.json")
		if got := h.Must("docker info --format '{{.Labels}} {{.RegistryConfig.Mirrors}}'"); got != "[kept=yes] [http://mirror.example/ https://second.example/]" {
			t.Errorf("got %q", got)
		}
		if after := h.Must("docker ps -q --no-trunc"); after != before || before == "" {
			t.Errorf("the containers were %q and are %q", before, after)
		}
	})

	t.Run("nothing is wrong with it", func(t *testing.T) {
		for _, f := range b.doctor(t, known) {
			if f.Rule != "room" { // this machine's disk is as full as it is
				t.Errorf("found %+v", f)
			}
		}
	})

	lockOut(t, b, h)
}

// lockOut tries settings of sshd with which nobody would get in any more.
func lockOut(t *testing.T, b *bed, h *host.Host) {
	const own, other = "/etc/ssh/sshd_config.d/10-slipway.conf", "/etc/ssh/sshd_config.d/90-other.conf"
	right := h.Must("cat " + own)
	for name, c := range map[string]struct{ there, says string }{
		"that sshd cannot read":           {"NoSuchKeyword yes", "Bad configuration option: NoSuchKeyword"},
		"that shut the admin out":         {"AllowUsers somebody", "User root from 127.0.0.1 not allowed because not listed in AllowUsers"},
		"that take no keys":               {"Match User root\nAuthenticationMethods password", "the admin could not log in any more"},
		"of an earlier run stay in place": {"DenyUsers root", "root from 127.0.0.1 not allowed because listed in DenyUsers"},
	} {
		t.Run("settings "+name+" are not put in force", func(t *testing.T) {
			h.Must("printf '# of before\\n' > " + own + "; cat > " + other + " <<'EOF'\n" + c.there + "\nEOF")
			b.setup(t, "-mirror=http://mirror.example").Exits(t, 1).Says(t, c.says, "what was there is back")
			if got := h.Must("cat " + own + "; ls " + own + ".before-slipway 2>/dev/null || true"); got != "# of before" {
				t.Errorf("the file is %q, and had been another", got)
			}
			h.Must("rm " + other)
		})
	}
	t.Run("they are where nothing is in the way", func(t *testing.T) {
		b.setup(t, "-mirror=http://mirror.example").Exits(t, 0).Says(t, "changed: sshd takes keys alone")
		if got := h.Must("cat " + own); got != right {
			t.Errorf("the file is %q, and was %q", got, right)
		}
	})
}
