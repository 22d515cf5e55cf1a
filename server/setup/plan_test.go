package setup_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"slipway/secret"
	"slipway/server/setup"
)

var update = flag.Bool("update", false, "write testdata anew")

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEl0J0mWx5mYy3Q2cX0q1c9t3zQzv5W2v9oYJ0v0K1aB ci@example.com"

// bare is a host as a provider hands it over.
func bare() setup.Facts {
	return setup.Facts{
		OS: "debian", Version: "12", Hostname: "one", Apt: true, Systemd: true, AppArmor: true, Addresses: []string{"10.0.0.1"},
		SSHDropIns: true, SSHService: "ssh", TimeSynced: true,
	}
}

func wanted() setup.Wanted {
	return setup.Wanted{Admin: "root", User: "deploy", Key: key, Dir: "/srv/acme/prod", Mirrors: []string{"https://mirror.example.com"}}
}

// text is a plan as a dry run on a host shows it on which nothing is so yet.
func text(p *setup.Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.String())
	}
	for _, n := range p.Notes {
		b.WriteString("note: " + n + "\n")
	}
	return b.String()
}

func TestPlansAreAsWritten(t *testing.T) {
	for name, change := range map[string]func(*setup.Facts, *setup.Wanted){
		"bare": func(*setup.Facts, *setup.Wanted) {},
		"worker": func(f *setup.Facts, w *setup.Wanted) {
			f.DockerCE, f.AppArmor, f.Firewall, f.OS = true, false, "ufw", "ubuntu"
			f.Addresses = []string{"203.0.113.7", "10.0.0.2"}
			w.Advertise, w.Mirrors, w.Dir = "10.0.0.2", nil, ""
			w.Join = &setup.JoinWanted{Role: "worker", Managers: []string{"10.0.0.1:2377"}, Token: secret.New("SWMTKN-CANARY")}
			w.Trust = &setup.Trust{Registry: "registry.example.com:5000", Authority: "-----BEGIN CERTIFICATE-----\n"}
		},
		"registry": func(f *setup.Facts, w *setup.Wanted) {
			f.Docker, f.Swarm = "28.2.2", setup.Swarm{State: "active", Manager: true, NodeID: "n1"}
			w.Registry, w.LeaveSSH = &setup.Registry{Name: "registry.example.com", Port: "5000", Users: secret.New("ci:CANARY\n")}, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, w := bare(), wanted()
			change(&f, &w)
			p, err := setup.Make(f, w)
			if err != nil {
				t.Fatal(err)
			}
			got, file := text(p), "testdata/"+name+".txt"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(want) != got {
				t.Errorf("the plan is not as in %s (%v; -update writes it anew):\n%s", file, err, got)
			}
			if strings.Contains(got, "CANARY") {
				t.Error("a secret is in a command")
			}
		})
	}
}

func TestWhatCannotBeIsSaidBeforeAnythingIsDone(t *testing.T) {
	join := &setup.JoinWanted{Role: "worker", Managers: []string{"10.0.0.1:2377"}, Nodes: []string{"n1"}}
	for want, change := range map[string]func(*setup.Facts, *setup.Wanted){
		"this host is no Debian or Ubuntu":                      func(f *setup.Facts, _ *setup.Wanted) { f.Apt = false },
		"does not run systemd":                                  func(f *setup.Facts, _ *setup.Wanted) { f.Systemd = false },
		"the user that deploys would be root":                   func(_ *setup.Facts, w *setup.Wanted) { w.User = "root" },
		"admin would be both the admin and the user":            func(_ *setup.Facts, w *setup.Wanted) { w.Admin, w.User = "admin", "admin" },
		`"de ploy" cannot be the name`:                          func(_ *setup.Facts, w *setup.Wanted) { w.User = "de ploy" },
		"is a private one: -deployKey takes the public one":     func(_ *setup.Facts, w *setup.Wanted) { w.Key = "-----BEGIN OPENSSH PRIVATE KEY-----" },
		"is no public key: it is one line":                      func(_ *setup.Facts, w *setup.Wanted) { w.Key = "ssh-ed25519 x" },
		"the server directory /srv/prod is directly in /srv":    func(_ *setup.Facts, w *setup.Wanted) { w.Dir = "/srv/prod" },
		"-advertise=10.0.0.9 is no address of this host":        func(_ *setup.Facts, w *setup.Wanted) { w.Advertise = "10.0.0.9" },
		"-advertise=here is no IP address":                      func(_ *setup.Facts, w *setup.Wanted) { w.Advertise = "here" },
		"several addresses (10.0.0.1, 192.0.2.1): name the one": func(f *setup.Facts, _ *setup.Wanted) { f.Addresses = []string{"10.0.0.1", "192.0.2.1"} },
		"shows no network address":                              func(f *setup.Facts, _ *setup.Wanted) { f.Addresses = nil },
		"is no JSON object, and stays as it is":                 func(f *setup.Facts, _ *setup.Wanted) { f.DaemonJSON = `{"a": 1,}` },
		"has live-restore on":                                   func(f *setup.Facts, _ *setup.Wanted) { f.DaemonJSON = `{"live-restore": true}` },
		"registry-mirrors in /etc/docker/daemon.json":           func(f *setup.Facts, _ *setup.Wanted) { f.DaemonJSON = `{"registry-mirrors": "x"}` },
		"in a Swarm that does not work (locked)":                func(f *setup.Facts, _ *setup.Wanted) { f.Swarm.State = "locked" },
		"is a worker of a Swarm, and deploys need a manager":    func(f *setup.Facts, _ *setup.Wanted) { f.Swarm = setup.Swarm{State: "active", NodeID: "n2"} },
		"is in another Swarm than the one to join": func(f *setup.Facts, w *setup.Wanted) {
			f.Swarm, w.Join = setup.Swarm{State: "active", NodeID: "n2"}, join
		},
		"no worker: let a manager run `docker node demote n1`": func(f *setup.Facts, w *setup.Wanted) {
			f.Swarm, w.Join = setup.Swarm{State: "active", NodeID: "n1", Manager: true}, join
		},
		"-registry=Reg.example: write the name": func(_ *setup.Facts, w *setup.Wanted) { w.Registry = &setup.Registry{Name: "Reg.example"} },
		"-registryCert and -registryKey belong together": func(_ *setup.Facts, w *setup.Wanted) {
			w.Registry = &setup.Registry{Name: "r.example", Certificate: "x"}
		},
		"has a registry with settings of its own": func(f *setup.Facts, w *setup.Wanted) {
			f.Registry, w.Registry = "version: 0.1\nauth: {}\n", &setup.Registry{Name: "r.example", Port: "5000"}
		},
	} {
		f, w := bare(), wanted()
		change(&f, &w)
		if _, err := setup.Make(f, w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestTheDaemonsSettingsAreAddedToAndNotReplaced(t *testing.T) {
	for _, c := range []struct{ there, docker, mirror, want string }{
		{"", "", "https://m", `{
  "log-driver": "json-file",
  "log-opts": {
    "max-size": "10m",
    "max-file": "3"
  },
  "registry-mirrors": [
    "https://m"
  ]
}
`},
		{`{"log-driver": "journald", "x": {"deep": [1, 2]}, "registry-mirrors": ["https://other/"]}`, "20.10", "https://m", `{
  "log-driver": "journald",
  "registry-mirrors": [
    "https://other/",
    "https://m"
  ],
  "x": {
    "deep": [
      1,
      2
    ]
  }
}
`},
		{`{"registry-mirrors": ["https://m/"]}`, "20.10", "https://m", ""}, // it is so already
		{"", "20.10", "", ""}, // a daemon that runs keeps its logs as they are
	} {
		f, w := bare(), wanted()
		f.DaemonJSON, f.Docker, w.Mirrors = c.there, c.docker, nil
		if c.mirror != "" {
			w.Mirrors = []string{c.mirror}
		}
		p, err := setup.Make(f, w)
		if err != nil {
			t.Fatal(err)
		}
		got := text(p)
		if has := strings.Contains(got, "printf %s '{"); has != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s with the mirror %s: the plan does not write\n%s\nit is\n%s", c.there, c.mirror, c.want, got)
		}
	}
}

func TestWhatSshdCannotBeToldIsLeftAndSaid(t *testing.T) {
	f, w := bare(), wanted()
	f.SSHDropIns = false
	p, err := setup.Make(f, w)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(p); strings.Contains(got, "10-slipway.conf") || !strings.Contains(got, "note: sshd's settings were left as they are, since /etc/ssh/sshd_config does not include") {
		t.Errorf("got\n%s", got)
	}
}

func TestTheHostsBestKeyIsPinnedForAllItsNames(t *testing.T) {
	f := setup.Facts{HostKeys: []string{"ssh-rsa AAAAB root@one", "ssh-ed25519 AAAAC root@one"}}
	if got := f.KnownHosts("[swarm.example.com]:2222", "10.0.0.1", "10.0.0.1"); got != "[swarm.example.com]:2222,10.0.0.1 ssh-ed25519 AAAAC" {
		t.Errorf("got %q", got)
	}
}
