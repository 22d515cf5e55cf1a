package sshd_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"slipway/test/sshd"
)

// login runs a command with the plain library, without this project's dialler.
func login(t *testing.T, s *sshd.Server, user, command string) (string, error) {
	t.Helper()
	signer, err := ssh.ParsePrivateKey([]byte(s.UserKey(user)))
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", s.Address(), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519}, HostKeyCallback: ssh.FixedHostKey(s.HostKey("ed25519")),
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer func() { _ = session.Close() }()
	out, err := session.CombinedOutput(command)
	return string(out), err
}

func TestUsersLogInWithTheirOwnKeysAndTheMachineDoesNotKnowThem(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: []sshd.User{{Name: "deploy", Docker: true}, {Name: "guest"}}})
	for user, want := range map[string]string{
		"root": "root " + s.Home("root") + " root\n", "deploy": "deploy " + s.Home("deploy") + " deploy docker\n",
		"guest": "guest " + s.Home("guest") + " guest\n",
	} {
		got, err := login(t, s, user, "echo $(id -un) $HOME $(id -Gn)")
		if err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", user, got, err, want)
		}
	}
	if out, err := exec.Command("getent", "passwd", "guest").CombinedOutput(); err == nil {
		t.Errorf("the machine has got a user: %s", out)
	}
	if !strings.Contains(s.Log(), "Accepted publickey for deploy") {
		t.Errorf("the log does not say who logged in:\n%s", s.Log())
	}
}

func TestConfigurationLinesComeFirst(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Config: "PermitRootLogin no"})
	if out, err := login(t, s, "root", "true"); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("root logged in (%q, %v)", out, err)
	}
}

func TestAStoppedServerComesBackOnItsPort(t *testing.T) {
	s := sshd.Start(t, sshd.Options{HostKeys: []string{"ed25519"}})
	port := s.Port
	s.Stop()
	if _, err := login(t, s, "root", "true"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("after Stop a login ended with %v, want a refusal", err)
	}
	s.Up()
	if out, err := login(t, s, "root", "echo "+strconv.Itoa(port)); err != nil || out != strconv.Itoa(s.Port)+"\n" {
		t.Errorf("after Up a login gave %q (%v)", out, err)
	}
}
