package registry

import (
	"cmp"
	"fmt"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"

	"slipway/secret"
)

// PullCredentials chooses what a Swarm pulls with, from environment variables. A Swarm stores
// credentials with each service and uses them whenever it moves a task: a CI job's token dies
// with the job, so a deploy token comes first, and a job's token only with a warning.
func PullCredentials(get func(...string) string) (c *Credentials, warning string, err error) {
	for _, pair := range [][2]string{{"CI_DEPLOY_USER", "CI_DEPLOY_PASSWORD"}, {"REGISTRY_USER", "REGISTRY_PASSWORD"}, {"CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD"}} {
		user, password := get(pair[0]), get(pair[1])
		switch {
		case user == "" && password == "":
			continue
		case user == "" || password == "":
			return nil, "", fmt.Errorf("%s and %s belong together, and one of them is not set", pair[0], pair[1])
		}
		c = &Credentials{User: user, Password: secret.New(password)}
		if user == "gitlab-ci-token" || password == get("CI_JOB_TOKEN") || password == get("GITHUB_TOKEN") {
			warning = fmt.Sprintf("the Swarm will pull with the token of this CI job (%s), which ends with the job: tasks that it has to move later cannot be pulled then. Create a deploy token that may read the registry, and set CI_DEPLOY_USER and CI_DEPLOY_PASSWORD", pair[0])
		}
		return c, warning, nil
	}
	return nil, "", nil
}

// EncodedAuth is the X-Registry-Auth header for an image, "" where nothing is known for its
// registry (Docker's API, "Authentication").
func (k *Keys) EncodedAuth(image string) string {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	a, err := k.AuthConfig(reference.Domain(ref))
	if err != nil || cmp.Or(a.Username, a.IdentityToken, a.RegistryToken) == "" {
		return ""
	}
	out, err := authconfig.Encode(registry.AuthConfig{
		Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken, ServerAddress: a.ServerAddress,
	})
	if err != nil {
		return ""
	}
	return out
}
