// Package registry talks to image registries: credentials, the proof that a push is
// accepted, and the push.
package registry

import (
	"fmt"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"slipway/secret"
)

// Credentials are a user and password for one registry host.
type Credentials struct {
	Host     string
	User     string
	Password secret.Value
}

// Keys finds the credentials for a registry: the given ones for their host, else those of
// Docker's configuration file and its credential helpers.
type Keys struct {
	given *Credentials
	file  *configfile.ConfigFile
}

var _ authn.Keychain = (*Keys)(nil)

// LoadKeys reads Docker's configuration. dir is where it is, "" for Docker's own rule
// ($DOCKER_CONFIG, else .docker in the home directory). A missing file is an empty one.
func LoadKeys(dir string, given *Credentials) (*Keys, error) {
	if dir == "" {
		dir = config.Dir()
	}
	file, err := config.Load(dir)
	if err != nil {
		return nil, fmt.Errorf("reading Docker's configuration in %s: %w", dir, err)
	}
	return &Keys{given: given, file: file}, nil
}

// AuthConfig returns what is known for a registry host, empty where nothing is.
func (k *Keys) AuthConfig(host string) (types.AuthConfig, error) {
	switch host {
	case "docker.io", "registry-1.docker.io", name.DefaultRegistry:
		host = authn.DefaultAuthKey // Docker Hub's key in the configuration file
	}
	if k.given != nil && k.given.Host == host {
		return types.AuthConfig{ServerAddress: host, Username: k.given.User, Password: k.given.Password.Reveal()}, nil
	}
	auth, err := k.file.GetAuthConfig(host)
	if err != nil {
		return auth, fmt.Errorf("asking Docker's configuration for the credentials of %s: %w", host, err)
	}
	return auth, nil
}

// Resolve implements authn.Keychain.
func (k *Keys) Resolve(r authn.Resource) (authn.Authenticator, error) {
	auth, err := k.AuthConfig(r.RegistryStr())
	if err != nil {
		return nil, err
	}
	if auth.Username == "" && auth.IdentityToken == "" && auth.RegistryToken == "" {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{
		Username: auth.Username, Password: auth.Password, IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	}), nil
}
