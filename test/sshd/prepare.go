package sshd

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// firstUser is the id of the first of Options.Users, above those of Debian's own accounts.
const firstUser = 47000

// Address is "host:port".
func (s *Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// prepare writes all that the server reads, except for its configuration, which has the port.
func (s *Server) prepare() error {
	// Those who log in reach their homes through it.
	if err := os.Chmod(s.dir, 0o711); err != nil {
		return err
	}
	for _, dir := range []string{"home", "keys"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
			return err
		}
	}
	if err := s.makeHostKeys(); err != nil {
		return err
	}
	if s.options.NoDockerCLI {
		if err := s.makeCommands(); err != nil {
			return err
		}
	}
	docker, err := s.shareDocker()
	if err != nil {
		return err
	}
	return s.makeUsers(docker)
}

// makeCommands makes a directory of all the machine's commands but Docker's.
func (s *Server) makeCommands() error {
	if err := os.Mkdir(s.commands(), 0o755); err != nil {
		return err
	}
	found, err := os.ReadDir("/usr/bin")
	if err != nil {
		return err
	}
	for _, command := range found {
		if strings.HasPrefix(command.Name(), "docker") {
			continue
		}
		if err := os.Symlink(filepath.Join("/usr/bin", command.Name()), filepath.Join(s.commands(), command.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) commands() string { return filepath.Join(s.dir, "bin") }

// shareDocker lets the accounts reach the socket's directory and gives the group that owns it.
func (s *Server) shareDocker() (group int, err error) {
	if s.options.DockerSocket == "" {
		return firstUser - 1, nil
	}
	if err := os.Chmod(filepath.Dir(s.options.DockerSocket), 0o711); err != nil {
		return 0, err
	}
	info, err := os.Stat(s.options.DockerSocket)
	if err != nil {
		return 0, err
	}
	group = int(info.Sys().(*syscall.Stat_t).Gid)
	if group == 0 {
		return 0, fmt.Errorf("%s belongs to root's group, not to one for Docker; Debian's docker.io package makes that group", s.options.DockerSocket)
	}
	return group, nil
}

// makeUsers writes the server's passwd, shadow and group, the homes, and a key for each.
func (s *Server) makeUsers(dockerGroup int) error {
	passwd := "root:x:0:0::" + s.Home("root") + ":/bin/sh\n" +
		"sshd:x:46999:65534::/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
	shadow := "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n"
	group := "root:x:0:\nnogroup:x:65534:\n"
	var members []string
	accounts := append([]User{{Name: "root"}}, s.options.Users...)
	for i, user := range accounts {
		id := firstUser + i
		if user.Name == "root" {
			id = 0
		} else {
			passwd += fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", user.Name, id, id, s.Home(user.Name))
			shadow += user.Name + ":*:19000:0:99999:7:::\n"
			group += fmt.Sprintf("%s:x:%d:\n", user.Name, id)
		}
		if user.Docker {
			members = append(members, user.Name)
		}
		if err := os.Mkdir(s.Home(user.Name), 0o755); err != nil {
			return err
		}
		if err := os.Chown(s.Home(user.Name), id, id); err != nil {
			return err
		}
		text, signer, err := newKey("ed25519", "")
		if err != nil {
			return err
		}
		s.userKeys[user.Name] = text
		if err := s.authorize(user.Name, string(ssh.MarshalAuthorizedKey(signer.PublicKey()))); err != nil {
			return err
		}
	}
	group += fmt.Sprintf("docker:x:%d:%s\n", dockerGroup, strings.Join(members, ","))
	for name, text := range map[string]string{"passwd": passwd, "shadow": shadow, "group": group} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Authorize adds a line to a user's authorized_keys, with options in front where wanted
// (`command="…",restrict ssh-ed25519 …`).
func (s *Server) Authorize(user, line string) {
	s.t.Helper()
	if err := s.authorize(user, line); err != nil {
		s.t.Fatalf("authorizing a key for %s: %v", user, err)
	}
}

func (s *Server) authorize(user, line string) error {
	file, err := os.OpenFile(filepath.Join(s.dir, "keys", user), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = fmt.Fprintln(file, strings.TrimSuffix(line, "\n"))
	return err
}

// configure writes sshd_config. Users' directories are under /tmp, which is writable to
// all, so sshd's check of their owners (StrictModes) cannot pass.
func (s *Server) configure() error {
	lines := []string{
		s.options.Config,
		"ListenAddress " + s.listens(),
		"PidFile none",
		"UsePAM no",
		"StrictModes no",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"PermitRootLogin prohibit-password",
		"AuthorizedKeysFile " + filepath.Join(s.dir, "keys", "%u"),
		"LogLevel VERBOSE",
		"UseDNS no",
	}
	if !strings.Contains(s.options.Config, "Subsystem") { // sshd takes no second one
		lines = append(lines, "Subsystem sftp internal-sftp")
	}
	if s.options.NoDockerCLI {
		lines = append(lines, "SetEnv PATH="+s.commands())
	}
	for _, key := range s.hostKeys {
		lines = append(lines, "HostKey "+s.hostKeyFile(key.kind))
		if s.ca != nil {
			lines = append(lines, "HostCertificate "+s.hostKeyFile(key.kind)+"-cert.pub")
		}
	}
	return os.WriteFile(filepath.Join(s.dir, "sshd_config"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
