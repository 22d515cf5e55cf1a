package setup

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"slipway/secret"
)

// Wanted is what a host is to become.
type Wanted struct {
	// Admin is who is logged in, and must not be shut out; User is who will deploy.
	Admin, User string
	// Key is User's public key, a line as authorized_keys has it.
	Key string
	// Dir is where an environment's files will be copied to; "" for nowhere.
	Dir string
	// Mirrors stand in for Docker Hub, as URLs.
	Mirrors []string
	// Advertise is the address by which other nodes reach the host; "" for its only one.
	Advertise string
	// Join is set for a host that joins a Swarm rather than being a new one's first manager.
	Join *JoinWanted
	// Registry is set for a host that is to have a registry; Trust for one that is to trust it.
	Registry *Registry
	Trust    *Trust
	// LeaveSSH keeps sshd's settings as they are.
	LeaveSSH bool
}

// JoinWanted is a Swarm, as one of its managers knows it.
type JoinWanted struct {
	Role     string // worker, manager
	Managers []string
	Token    secret.Value
	// Nodes are the ids of the Swarm's nodes.
	Nodes []string
}

// Registry is a registry of one's own. It is reached at Name:Port, over TLS, with a password.
type Registry struct {
	Name string
	Port string
	// Users is the htpasswd line of its only user, with a bcrypt hash; Same tells that the host
	// has one for this user and password already.
	Users secret.Value
	Same  bool
	// Certificate and Key are PEM; without them the host makes and signs its own.
	Certificate string
	Key         secret.Value
}

// Address is how images name the registry.
func (r Registry) Address() string {
	if r.Port == "443" {
		return r.Name
	}
	return r.Name + ":" + r.Port
}

// Trust is a registry and the authority that signed its certificate, as PEM.
type Trust struct{ Registry, Authority string }

// userName is what useradd takes (NAME_REGEX of Debian's adduser).
var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)

// hostName is a DNS name.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

// Check finds what of the wishes cannot be, whatever the host.
func (w Wanted) Check() error {
	switch {
	case !userName.MatchString(w.User):
		return fmt.Errorf("%q cannot be the name of the user that deploys: it has lower-case letters, digits, dashes and underscores, at most 31", w.User)
	case w.User == "root":
		return errors.New("the user that deploys would be root: name another one in the server's address (SERVER_HOST=deploy@HOST) or in USER_NAME")
	case w.User == w.Admin:
		return fmt.Errorf("%s would be both the admin and the user that deploys, whose key is restricted: name another one in the server's address (SERVER_HOST=deploy@HOST) or in USER_NAME", w.User)
	}
	if _, err := publicKey(w.Key); err != nil {
		return err
	}
	if err := checkDir(w.Dir); err != nil {
		return err
	}
	if w.Advertise != "" {
		if _, err := netip.ParseAddr(w.Advertise); err != nil {
			return fmt.Errorf("-advertise=%s is no IP address", w.Advertise)
		}
	}
	if r := w.Registry; r != nil {
		if !hostName.MatchString(r.Name) {
			return fmt.Errorf("-registry=%s: write the name by which all hosts reach the registry, with a port where it is not 5000", r.Name)
		}
		if (r.Certificate == "") != r.Key.Empty() {
			return errors.New("-registryCert and -registryKey belong together, and one of them is missing")
		}
	}
	return nil
}

// publicKey reads a line of authorized_keys without options, and gives it without its comment.
func publicKey(line string) (string, error) {
	line = strings.TrimSpace(line)
	if strings.Contains(line, "PRIVATE KEY") {
		return "", errors.New("the key of the user that deploys is a private one: -deployKey takes the public one (the file that ends in .pub)")
	}
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 || len(rest) > 0 {
		return "", errors.New("the key of the user that deploys is no public key: it is one line, such as ssh-ed25519 AAAA… name, in the file that ssh-keygen calls .pub")
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), nil
}

// checkDir refuses places in which the deploying user cannot be given rights alone: a copy makes
// directories beside the one that is named.
func checkDir(dir string) error {
	if dir == "" || !strings.HasPrefix(dir, "/") {
		return nil // below the user's home
	}
	if parent := path.Dir(path.Clean(dir)); strings.Count(parent, "/") < 2 {
		return fmt.Errorf("the server directory %s is directly in %s, and copies make directories beside it: name one further down, such as %s", dir, parent, path.Join(parent, "app", path.Base(dir)))
	}
	return nil
}
