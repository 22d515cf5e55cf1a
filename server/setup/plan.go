package setup

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Make says what has to be so on a host, and in which order. It is pure. Its errors name what
// has to be settled by a person first; nothing has been changed then.
func Make(f Facts, w Wanted) (*Plan, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	switch {
	case !f.Apt:
		return nil, fmt.Errorf("this host is no Debian or Ubuntu (it calls itself %q, and has no apt-get): install Docker and make the user by hand", f.OS)
	case !f.Systemd:
		return nil, errors.New("this host does not run systemd, which is to start Docker and sshd: prepare it by hand")
	}
	p := &Plan{}
	for _, part := range []func(*Plan, Facts, Wanted) error{docker, registry, trust, user, directory, membership, sshd} {
		if err := part(p, f, w); err != nil {
			return nil, err
		}
	}
	p.Notes = append(p.Notes, rights(w))
	p.Notes = append(p.Notes, hints(f, w)...)
	return p, nil
}

func (p *Plan) add(s ...Step) { p.Steps = append(p.Steps, s...) }

// apt installs packages without questions, and keeps settings that are there.
func apt(packages ...string) string {
	return "DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold install --no-install-recommends " + words(packages...)
}

const aptUpdate = "apt-get -qq -o DPkg::Lock::Timeout=300 update"

// docker installs the daemon with its settings, and starts it.
func docker(p *Plan, f Facts, w Wanted) error {
	settings, changed, err := daemonSettings(f, w.Mirrors)
	if err != nil {
		return err
	}
	step := Step{Does: "Docker's settings in " + daemonFile, Check: "true"}
	if changed {
		step.Check, step.Run = holds(daemonFile, settings), []string{write(daemonFile, "644", settings)}
		if f.DaemonJSON != "" {
			step.Run = append([]string{"cp -p " + daemonFile + " " + daemonFile + ".before-slipway"}, step.Run...)
		}
		if f.Docker != "" {
			// A mirror is among what the daemon reads anew without a restart (dockerd(8), SIGHUP).
			step.Run = append(step.Run, "systemctl reload docker")
		}
	}
	if settings != "" {
		p.add(step)
	}
	packages, from := []string{"docker.io", "ca-certificates"}, "Docker, of Debian's package docker.io"
	if f.OS == "ubuntu" {
		from = "Docker, of Ubuntu's package docker.io"
	}
	if f.DockerCE {
		packages, from = []string{"docker-ce", "docker-ce-cli", "containerd.io", "ca-certificates"}, "Docker, of Docker's own package docker-ce, whose source apt has"
	}
	if f.AppArmor {
		packages = append(packages, "apparmor") // without its tools Docker cannot load its profile
	}
	p.add(Step{
		Does: from, Check: "command -v dockerd && command -v docker",
		// The client is a package of its own since Debian 13.
		Run: []string{aptUpdate, apt(packages...), "command -v docker || " + apt("docker-cli")},
	}, Step{
		Does: "Docker runs, and starts with the host", Check: "systemctl is-enabled -q docker && systemctl is-active -q docker && docker info",
		Run: []string{"systemctl enable --now docker"},
	})
	return nil
}

// user is who deploys: without a password, in Docker's group, with one key that cannot open a
// terminal, an agent or X11. A password of "*" can never be right, and unlike "!" it does not
// lock the account, which sshd without PAM refuses.
func user(p *Plan, _ Facts, w Wanted) error {
	key, err := publicKey(w.Key)
	if err != nil {
		return err
	}
	name := quote(w.User)
	line := keyOptions + " " + key + " slipway"
	home := `home=$(getent passwd ` + name + ` | cut -d: -f6) && [ -n "$home" ] && `
	file := `"$home/.ssh/authorized_keys"`
	p.add(Step{
		Does: "the user " + w.User + ", who deploys", Check: "id -u " + name,
		Run: []string{"useradd --create-home --shell /bin/sh --password '*' " + name},
	}, Step{
		Does:  w.User + " may use Docker",
		Check: "id -nG " + name + " | tr ' ' '\\n' | grep -qx docker",
		Run:   []string{"usermod -aG docker " + name},
	}, Step{
		Does:  w.User + " logs in with the key, restricted to what a deploy needs",
		Check: home + "grep -qxF " + quote(line) + " " + file + " && [ \"$(grep -cF " + quote(key) + " " + file + ")\" = 1 ]",
		Run: []string{
			home + `install -d -m 700 -o ` + name + ` -g "$(id -gn ` + name + `)" "$home/.ssh"`,
			home + `touch ` + file + ` && { grep -vF ` + quote(key) + ` ` + file + ` || true; printf '%s\n' ` + quote(line) + `; } > "$home/.ssh/.slipway-new" && chown ` + name + `: "$home/.ssh/.slipway-new" && chmod 600 "$home/.ssh/.slipway-new" && mv -f "$home/.ssh/.slipway-new" ` + file,
		},
	})
	return nil
}

// keyOptions are in front of the key (sshd(8), AUTHORIZED_KEYS FILE FORMAT). Forwarding is how a
// deploy reaches Docker's socket, and other nodes through this one; commands and SFTP are not
// restricted by these.
const keyOptions = "restrict,port-forwarding"

// directory lets the deploying user make directories beside the one for an environment's files.
func directory(p *Plan, _ Facts, w Wanted) error {
	if !strings.HasPrefix(w.Dir, "/") {
		return nil
	}
	parent, name := quote(path.Dir(path.Clean(w.Dir))), quote(w.User)
	p.add(Step{
		Does:  w.User + " may write in " + path.Dir(path.Clean(w.Dir)),
		Check: "[ -d " + parent + " ] && runuser -u " + name + " -- test -w " + parent,
		Run: []string{
			"[ ! -e " + parent + " ] || [ -z \"$(ls -A " + parent + ")\" ] || { echo " + parent + " has files of others, and " + name + " may not write there: name another directory in SERVER_DIR, or give it the right >&2; exit 1; }",
			"install -d -m 755 -o " + name + ` -g "$(id -gn ` + name + `)" ` + parent,
		},
	})
	return nil
}

func rights(w Wanted) string {
	return w.User + " may use Docker, and who may use Docker is root on that host (a container can mount its disk): keep its key as you would keep root's. " +
		"The key's restrictions keep out terminals, agents and X11, and nothing more"
}
