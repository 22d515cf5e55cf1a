package ssh_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/test/sshd"
)

// startAgent runs an agent with these keys.
func startAgent(t *testing.T, passphrase string, keys ...string) (socket string) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, text := range keys {
		key, err := xssh.ParseRawPrivateKey([]byte(text))
		if err != nil {
			key, err = xssh.ParseRawPrivateKeyWithPassphrase([]byte(text), []byte(passphrase))
		}
		if err == nil {
			err = ring.Add(agent.AddedKey{PrivateKey: key})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = agent.ServeAgent(ring, conn)
				_ = conn.Close()
			}()
		}
	}()
	return socket
}

func authorized(key xssh.PublicKey) string {
	return strings.TrimSpace(string(xssh.MarshalAuthorizedKey(key)))
}

func TestAKeyIsTakenAsTextAsAPathAndFromAnAgent(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(s.UserKey("deploy")), 0o600); err != nil {
		t.Fatal(err)
	}
	locked, public := sshd.NewKey(t, "ed25519", "open sesame")
	s.Authorize("deploy", authorized(public))
	rsa, rsaPublic := sshd.NewKey(t, "rsa", "")
	s.Authorize("deploy", authorized(rsaPublic))
	other, _ := sshd.NewKey(t, "ed25519", "")
	for name, set := range map[string]func(*ssh.Options){
		"text":                          func(*ssh.Options) {},
		"text with Windows line breaks": func(o *ssh.Options) { o.Key = secret.New(strings.ReplaceAll(s.UserKey("deploy"), "\n", "\r\n")) },
		"text without a last line break": func(o *ssh.Options) {
			o.Key = secret.New(strings.TrimSpace(s.UserKey("deploy")))
		},
		"an RSA key": func(o *ssh.Options) { o.Key = secret.New(rsa) },
		"a path":     func(o *ssh.Options) { o.Key = secret.New(path) },
		"an agent":   func(o *ssh.Options) { o.Key, o.Agent = secret.Value{}, startAgent(t, "", other, s.UserKey("deploy")) },
		"an agent that holds the key with a passphrase": func(o *ssh.Options) {
			o.Key, o.Agent = secret.New(locked), startAgent(t, "open sesame", other, locked)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := to(s)
			set(&o)
			if got := run(t, dial(t, o), "id -un"); got != "deploy\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestALoginThatCannotBeIsExplained(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, Config: "PermitRootLogin no\nMaxAuthTries 3"})
	wrong, public := sshd.NewKey(t, "ed25519", "")
	locked, lockedPublic := sshd.NewKey(t, "ed25519", "open sesame")
	empty, unrelated := startAgent(t, ""), startAgent(t, "", wrong)
	third, _ := sshd.NewKey(t, "ed25519", "")
	fourth, _ := sshd.NewKey(t, "ed25519", "")
	two, many := startAgent(t, "", wrong, third), startAgent(t, "", wrong, third, fourth, s.UserKey("deploy"))
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nCANARY\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	values := []string{"{to}", "logging in to deploy@" + s.Address() + " over SSH", "{root}", "logging in to root@" + s.Address() + " over SSH",
		"{key}", "ssh-ed25519 " + xssh.FingerprintSHA256(public), "{line}", authorized(public),
		"{locked}", "ssh-ed25519 " + xssh.FingerprintSHA256(lockedPublic), "{empty}", empty, "{unrelated}", unrelated, "{broken}", broken}
	for name, c := range map[string]struct {
		user, key, agent string
		want             string
	}{
		"wrong key":               {"deploy", wrong, "", "{to}: refused with the key {key}. Either there is no user deploy, or the key is not in its authorized_keys; the line to add there is: {line}"},
		"no such user":            {"ghost", wrong, "", "logging in to ghost@" + s.Address() + " over SSH: refused with the key {key}. Either there is no user ghost, or the key is not in its authorized_keys; the line to add there is: {line}"},
		"root":                    {"root", wrong, "", "{root}: refused with the key {key}. Either there is no user root, or root may not log in (PermitRootLogin), or the key is not in its authorized_keys; the line to add there is: {line}"},
		"an agent's wrong keys":   {"deploy", "", two, "{to}: refused with each of the agent's 2 keys. Either there is no user deploy, or none of the keys is in its authorized_keys"},
		"an agent with too many":  {"deploy", "", many, "{to}: the agent holds 4 keys, and the server gave up before the right one; set SSH_KEY to that one"},
		"nothing":                 {"deploy", "", "", "{to}: there is neither a key nor an agent; set SSH_KEY to a private key or its path, or start an agent (SSH_AUTH_SOCK)"},
		"a passphrase":            {"deploy", locked, "", "{to}: the key has a passphrase, which cannot be asked for here; hold it in an agent (ssh-add, SSH_AUTH_SOCK) or use a key for deploys without one (ssh-keygen -t ed25519 -N '' -f deploy_key)"},
		"a passphrase, no agent":  {"deploy", locked, "/nonexistent", "{to}: the agent at /nonexistent does not answer (connect: no such file or directory); start one, or set SSH_KEY"},
		"a passphrase, an agent":  {"deploy", locked, unrelated, "{to}: the agent at {unrelated} is of no help: it does not hold the key {locked}, which has a passphrase; run ssh-add"},
		"an empty agent":          {"deploy", "", empty, "{to}: the agent at {empty} is of no help: it holds no key; run ssh-add"},
		"a public key":            {"deploy", authorized(public), "", "{to}: SSH_KEY holds a public key; it takes the private one"},
		"PuTTY's format":          {"deploy", "PuTTY-User-Key-File-3: ssh-ed25519\nCANARY", "", "{to}: SSH_KEY holds a key in PuTTY's format; convert it (puttygen key.ppk -O private-openssh -o key)"},
		"neither text nor a path": {"deploy", "CANARY", "", "{to}: SSH_KEY is neither a private key (-----BEGIN …) nor the path of a file"},
		"text cut short":          {"deploy", "-----BEGIN OPENSSH PRIVATE KEY-----\nCANARY", "", "{to}: SSH_KEY holds no private key that can be read; it must be whole, from -----BEGIN to END-----, with its line breaks"},
		"a file cut short":        {"deploy", broken, "", "{to}: {broken} holds no private key that can be read; it must be whole, from -----BEGIN to END-----, with its line breaks"},
		"line breaks lost":        {"deploy", strings.ReplaceAll(wrong, "\n", " "), "", "{to}: SSH_KEY holds no private key that can be read; it must be whole, from -----BEGIN to END-----, with its line breaks"},
	} {
		t.Run(name, func(t *testing.T) {
			o := to(s)
			o.User, o.Key, o.Agent = c.user, secret.New(c.key), c.agent
			refuses(t, o, ssh.ErrDenied, fill(c.want, values...))
		})
	}
}

func TestAServerThatTakesNoKeysSaysWhatItNeeds(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, Config: "PubkeyAuthentication no\nPasswordAuthentication yes"})
	refuses(t, to(s), ssh.ErrDenied, "logging in to deploy@"+s.Address()+
		" over SSH: the server does not take keys; its sshd_config needs PubkeyAuthentication yes, and no other AuthenticationMethods")
}
