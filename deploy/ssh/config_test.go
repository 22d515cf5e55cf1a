package ssh_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/test/sshd"
)

// writeHome makes a home directory with these files below .ssh.
func writeHome(t *testing.T, files map[string]string) (home, config string) {
	t.Helper()
	home = t.TempDir()
	for name, text := range files {
		path := filepath.Join(home, ".ssh", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return home, filepath.Join(home, ".ssh", "config")
}

// flat shows options with all their jumps in one line.
func flat(o ssh.Options) string {
	text := o.User + "@" + o.Address() + " key=" + o.Key.Reveal() + " known=" + strings.Join(strings.Fields(o.KnownHosts), "+")
	if o.Jump != nil {
		text += " via " + flat(*o.Jump)
	}
	return text
}

func TestTheConfigurationFillsInWhatIsNotSet(t *testing.T) {
	home, config := writeHome(t, map[string]string{
		"config": `Host prod
  HostName %h.example.com
  Port 2222
  User deployer
  IdentityFile ~/.ssh/missing
  IdentityFile %d/.ssh/prod_key
  UserKnownHostsFile ~/.ssh/pins ~/.ssh/more_pins
  ProxyJump hopper@gate:2022,inner
Host inner
  HostName 10.0.0.1
Host loop
  ProxyJump loop
Host commanded
  ProxyCommand nc %h %p
Host plain
  ProxyJump none
Host *
  User everyone
`,
		"prod_key": "x", "pins": "a\n", "more_pins": "b\n", "known_hosts": "c\n",
	})
	for name, c := range map[string]struct {
		set  ssh.Options
		want string
	}{
		"a host with all": {ssh.Options{Host: "prod"}, "deployer@prod.example.com:2222 key={home}/.ssh/prod_key known=a+b via everyone@10.0.0.1:22 key= known=c via hopper@gate:2022 key= known=c"},
		"what is set wins": {
			ssh.Options{Host: "prod", User: "me", Port: 22, Key: secret.New("mine"), KnownHosts: "own", Jump: &ssh.Options{Host: "j", User: "u"}},
			"me@prod.example.com:22 key=mine known=own via u@j:22 key= known=",
		},
		"a host that is not named there": {ssh.Options{Host: "other"}, "everyone@other:22 key= known=c"},
		"no jump":                        {ssh.Options{Host: "plain"}, "everyone@plain:22 key= known=c"},
	} {
		got, err := c.set.WithConfig(config, home)
		if want := strings.ReplaceAll(c.want, "{home}", home); err != nil || flat(got) != want {
			t.Errorf("%s: got %s (%v)\nwant %s", name, flat(got), err, want)
		}
	}
	for host, want := range map[string]string{
		"loop":      "reading the SSH configuration {config}: more than 8 jump hosts; does ProxyJump lead back to itself?",
		"commanded": "reading the SSH configuration {config}: host commanded uses ProxyCommand, which is not run here; use ProxyJump",
	} {
		_, err := ssh.Options{Host: host}.WithConfig(config, home)
		if want := strings.ReplaceAll(want, "{config}", config); err == nil || err.Error() != want {
			t.Errorf("%s: got %v\nwant %s", host, err, want)
		}
	}
}

func TestAConfigurationThatCannotBeReadNamesItsFile(t *testing.T) {
	home, config := writeHome(t, map[string]string{"config": "Host a\n  Port many\nHost b\n  =\n"})
	if _, err := (ssh.Options{Host: "a"}).WithConfig(config, home); err == nil || !strings.HasPrefix(err.Error(), "reading the SSH configuration "+config+": ") {
		t.Errorf("got %v", err)
	}
	o, err := ssh.Options{Host: "a", User: "u"}.WithConfig(filepath.Join(home, "none"), home)
	if err != nil || flat(o) != "u@a:22 key= known=" {
		t.Errorf("without a file: got %s (%v)", flat(o), err)
	}
}

func TestALoginByConfigurationAlone(t *testing.T) {
	gate := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	home, config := writeHome(t, map[string]string{
		"config": strings.NewReplacer("{gate}", strings.TrimPrefix(gate.Address(), "127.0.0.1:"), "{port}", strings.TrimPrefix(s.Address(), "127.0.0.1:")).Replace(
			"Host gate\n HostName 127.0.0.1\n Port {gate}\n IdentityFile ~/.ssh/gate\nHost server\n HostName 127.0.0.1\n Port {port}\n ProxyJump gate\nHost *\n User deploy\n"),
		"gate": gate.UserKey("deploy"), "id_ed25519": s.UserKey("deploy"), "known_hosts": gate.KnownHosts() + s.KnownHosts(),
	})
	o, err := ssh.Options{Host: "server"}.WithConfig(config, home)
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, dial(t, o), "echo $HOME"); got != s.Home("deploy")+"\n" || !strings.Contains(gate.Log(), "Accepted publickey") {
		t.Errorf("got %q", got)
	}
}

func TestAddressesAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"host": "@host:22", "user@host": "user@host:22", "user@host:2222": "user@host:2222", "ssh://user@host:2222": "user@host:2222",
		"ssh://host/": "@host:22", "[2001:db8::1]:2222": "@[2001:db8::1]:2222", "2001:db8::1": "@[2001:db8::1]:22", "u@[::1]": "u@[::1]:22",
	} {
		o, err := ssh.ParseAddress(text)
		if got := o.User + "@" + o.Address(); err != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": `"" is not [user@]host[:port]`, "user@": `"" is not [user@]host[:port]`, "a/b": `"a/b" is not [user@]host[:port]`,
		"host:x": `port "x" of host is not a number between 1 and 65535`, "host:0": `port "0" of host is not a number between 1 and 65535`,
		"user:CANARY@host": "an SSH address holds no password; set SSH_KEY", "[::1": `"[::1" is not [user@]host[:port]`,
		"-oProxyCommand=x": `"-oProxyCommand=x" is not [user@]host[:port]`,
	} {
		if _, err := ssh.ParseAddress(text); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
