package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
)

// settled is a spec as the daemon shows it, without the ids of configs and secrets, whose
// names say which they are.
func settled(spec swarm.ServiceSpec, networks map[string]string) swarm.ServiceSpec {
	s := convert.Shown(spec, networks)
	if c := s.TaskTemplate.ContainerSpec; c != nil {
		for _, r := range c.Configs {
			if p := c.Privileges; r.Runtime != nil && p != nil && p.CredentialSpec != nil && p.CredentialSpec.Config == r.ConfigID {
				p.CredentialSpec.Config = r.ConfigName
			}
			r.ConfigID = ""
		}
		for _, r := range c.Secrets {
			r.SecretID = ""
		}
	}
	return s
}

func digestOf(spec swarm.ServiceSpec) string {
	data, err := json.Marshal(spec)
	if err != nil {
		panic(err) // it came as JSON
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

func names(ids map[string]string) map[string]string {
	out := map[string]string{}
	for name, id := range ids {
		out[id] = name
	}
	return out
}
