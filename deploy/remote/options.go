package remote

import (
	"fmt"

	"slipway/deploy/ssh"
)

// SSH is the SSH server that the settings lead to, with nothing connected to. Settings that lead
// elsewhere are an error.
func (s Settings) SSH() (ssh.Options, error) {
	to, err := s.withDefaults().resolve()
	switch {
	case err != nil:
		return ssh.Options{}, err
	case to.ssh == nil:
		return ssh.Options{}, fmt.Errorf("%s is not reached over SSH: name the host itself, as [user@]host[:port]", s.Server)
	}
	return *to.ssh, nil
}
