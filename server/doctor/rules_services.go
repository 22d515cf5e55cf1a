package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"
)

// pulls looks for images that a node could not pull.
func pulls(f Facts) (out []Finding) {
	for _, p := range f.Pulls {
		if p.Err != "" {
			out = append(out, Finding{Rule: "pulls", Object: p.Image, What: "on " + p.Node + ": " + p.Err,
				Why: "a task that has to move there cannot start",
				Do:  "on that node: docker login and docker pull " + p.Image + " show the same; look at the registry, the way there, and the credentials"})
		}
	}
	return out
}

// credentials looks for services that a node could not pull for with what the Swarm has stored,
// while what a deploy would use now works.
func credentials(f Facts) (out []Finding) {
	for _, s := range f.State.Services {
		image := imageOf(s.Spec.TaskTemplate)
		refused := slices.ContainsFunc(f.Ended, func(t swarm.Task) bool {
			return t.ServiceID == s.ID && t.Status.Timestamp.After(s.UpdatedAt) && imageOf(t.Spec) == image && notPulled(t.Status.Err)
		})
		fails := slices.ContainsFunc(f.Pulls, func(p Pull) bool { return p.Image == image && p.Err != "" })
		works := slices.ContainsFunc(f.Pulls, func(p Pull) bool { return p.Image == image && p.Err == "" })
		if refused && works && !fails {
			out = append(out, Finding{Rule: "credentials", Object: s.Spec.Name,
				What: fmt.Sprintf("a task of %s could not pull its image, which can be pulled with the credentials that are set here", s.Spec.Name),
				Why:  "the Swarm pulls with the credentials that were stored with the service: they have expired, or are no longer right (a CI job's token ends with the job)",
				Do:   "set CI_DEPLOY_USER and CI_DEPLOY_PASSWORD to a token that lasts and deploy the next version; at once: docker login on a manager, and there docker service update --with-registry-auth " + s.Spec.Name})
		}
	}
	return out
}

// notPulled reads a task's error. Swarm logs why a pull failed, and says only that there is no
// such image (moby, daemon/cluster/executor/container/controller.go, Prepare).
func notPulled(err string) bool {
	err = strings.ToLower(err)
	for _, part := range []string{"no such image", "pull access denied", "unauthorized", "authentication required"} {
		if strings.Contains(err, part) {
			return true
		}
	}
	return false
}

// health looks for services of which nobody can tell whether they work.
func health(f Facts) (out []Finding) {
	for _, s := range f.State.Services {
		c := s.Spec.TaskTemplate.ContainerSpec
		if c == nil || s.Spec.Mode.Replicated == nil && s.Spec.Mode.Global == nil { // a job ends
			continue
		}
		if c.Healthcheck != nil && len(c.Healthcheck.Test) > 0 { // NONE is a decision
			continue
		}
		brings, known := f.Healthy[c.Image]
		if brings {
			continue
		}
		image := "and its image brings none"
		if !known {
			image = "and its image, which no node that was looked at has, may bring one or not"
		}
		out = append(out, Finding{Rule: "health", Object: s.Spec.Name,
			What: fmt.Sprintf("%s has no health check, %s", s.Spec.Name, image),
			Why:  "it counts as good as soon as its process runs: a deploy cannot tell that it answers, and nothing restarts it when it hangs",
			Do:   "give it a healthcheck with start_period in the manifest (or healthcheck: {disable: true}, which says that none is meant)"})
	}
	return out
}

func imageOf(t swarm.TaskSpec) string {
	if t.ContainerSpec == nil {
		return ""
	}
	return t.ContainerSpec.Image
}
