package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"
)

// IDs are the ids of configs and secrets by name.
type IDs struct{ Configs, Secrets map[string]string }

// Bind fills in the ids that references need beside their names, in place. All that is
// missing is named in one error, and nothing is changed then.
func (s *Service) Bind(ids IDs) error {
	spec := s.Spec.TaskTemplate.ContainerSpec
	var missing []string
	for _, r := range spec.Configs {
		if ids.Configs[r.ConfigName] == "" {
			missing = append(missing, "config "+r.ConfigName)
		}
	}
	for _, r := range spec.Secrets {
		if ids.Secrets[r.SecretName] == "" {
			missing = append(missing, "secret "+r.SecretName)
		}
	}
	if missing != nil {
		slices.Sort(missing)
		return fmt.Errorf("service %s uses what is not in the Swarm: %s", s.Spec.Name, strings.Join(slices.Compact(missing), ", "))
	}
	bind(spec, ids)
	return nil
}

func bind(spec *swarm.ContainerSpec, ids IDs) {
	for _, r := range spec.Configs {
		r.ConfigID = ids.Configs[r.ConfigName]
	}
	for _, r := range spec.Secrets {
		r.SecretID = ids.Secrets[r.SecretName]
	}
	if p := spec.Privileges; p != nil && p.CredentialSpec != nil && ids.Configs[p.CredentialSpec.Config] != "" {
		p.CredentialSpec.Config = ids.Configs[p.CredentialSpec.Config]
	}
}
