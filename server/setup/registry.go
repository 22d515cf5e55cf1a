package setup

import (
	"fmt"
	"strings"
)

const (
	registryDir  = "/etc/docker/registry"
	registryFile = registryDir + "/config.yml"
	registryMark = "# Written by slipway server:setup"
)

// registrySettings are for Debian's package docker-registry, which apt keeps up to date and no
// registry has to be there to install.
const registrySettings = registryMark + `, which writes it anew when it runs again.
version: 0.1
storage:
  delete: {enabled: true}
  filesystem: {rootdirectory: /var/lib/docker-registry}
http:
  addr: ":%s"
  tls: {certificate: /etc/docker/registry/tls.crt, key: /etc/docker/registry/tls.key}
  headers: {X-Content-Type-Options: [nosniff]}
auth:
  htpasswd: {realm: registry, path: /etc/docker/registry/htpasswd}
`

// ownCertificate makes a key and a certificate of ten years for a name, and keeps those that
// fit. Only who is told to trust the certificate does.
const ownCertificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=%[1]s -addext subjectAltName=DNS:%[1]s" +
	" -keyout " + registryDir + "/tls.key -out " + registryDir + "/tls.crt 2> /dev/null"

// restart is for what a registry that runs reads only at its start.
const restart = "if systemctl is-active -q docker-registry; then systemctl restart docker-registry; fi"

// received writes standard input to a file that the registry alone may read.
func received(file string) string {
	return "umask 077 && cat > " + file + " && chown docker-registry: " + file
}

func registry(p *Plan, f Facts, w Wanted) error {
	r := w.Registry
	if r == nil {
		return nil
	}
	if f.Registry != "" && !strings.HasPrefix(f.Registry, registryMark) && strings.Contains(f.Registry, "auth:") {
		return fmt.Errorf("this host has a registry with settings of its own (%s), which stay as they are: leave -registry out, or move the file away", registryFile)
	}
	settings := fmt.Sprintf(registrySettings, r.Port)
	p.add(Step{
		Does:  "the registry, of the package docker-registry, not yet started",
		Check: "[ -x /usr/bin/docker-registry ]",
		// Masked, it does not run for a moment with the package's settings, open to all.
		Run: []string{aptUpdate, "systemctl mask docker-registry", apt("docker-registry", "openssl")},
	}, Step{
		Does: "the registry's settings", Check: holds(registryFile, settings),
		Run: []string{write(registryFile, "644", settings), restart},
	})
	p.add(certificate(r), users(r), Step{
		Does: "the registry runs, and starts with the host", Check: "systemctl is-enabled -q docker-registry && systemctl is-active -q docker-registry",
		Run: []string{"systemctl unmask docker-registry", "systemctl enable --now docker-registry"},
	})
	if r.Certificate == "" {
		at := certsDir(r.Address())
		p.add(Step{
			Does: "Docker on this host trusts the registry", Check: "cmp -s " + registryDir + "/tls.crt " + quote(at),
			Run: []string{"install -D -m 644 " + registryDir + "/tls.crt " + quote(at)},
		})
		p.Notes = append(p.Notes, "the registry's certificate is its own: let whoever pushes trust it (scp HOST:"+registryDir+"/tls.crt registry.crt, then SSL_CERT_FILE=registry.crt), and other nodes with -registryCA=registry.crt")
	}
	return nil
}

func certificate(r *Registry) Step {
	const crt, key = registryDir + "/tls.crt", registryDir + "/tls.key"
	if r.Certificate != "" {
		return Step{
			Does: "the registry's certificate", Check: "cmp -s - " + key + " && " + holds(crt, r.Certificate),
			Run:   []string{received(key) + " && " + write(crt, "644", r.Certificate) + " && { " + restart + "; }"},
			Input: r.Key, Of: "the private key",
		}
	}
	return Step{
		Does:  "a certificate of the registry's own, for " + r.Name,
		Check: "openssl x509 -in " + crt + " -noout -checkend 2592000 && openssl x509 -in " + crt + " -noout -checkhost " + quote(r.Name) + " | grep -q 'does match' && [ -s " + key + " ]",
		Run:   []string{"umask 077 && " + fmt.Sprintf(ownCertificate, r.Name), "chmod 644 " + crt + " && chown docker-registry: " + key, restart},
	}
}

func users(r *Registry) Step {
	const file = registryDir + "/htpasswd"
	if r.Same { // a new hash would have new salt, and differ for no reason
		return Step{Does: "the registry's user and password", Check: "[ -s " + file + " ]"}
	}
	return Step{
		Does: "the registry's user and password", Check: "cmp -s - " + file,
		Run:   []string{received(file) + " && { " + restart + "; }"},
		Input: r.Users, Of: "the user's name with a hash of the password",
	}
}

// certsDir is where Docker looks for the authority of a registry (docs.docker.com, "Verify
// repository client with certificates").
func certsDir(address string) string { return "/etc/docker/certs.d/" + address + "/ca.crt" }

// trust is for hosts that use a registry of one's own on another one.
func trust(p *Plan, _ Facts, w Wanted) error {
	if t := w.Trust; t != nil {
		at := certsDir(t.Registry)
		p.add(Step{Does: "Docker trusts the registry " + t.Registry, Check: holds(at, t.Authority), Run: []string{write(at, "644", t.Authority)}})
	}
	return nil
}
