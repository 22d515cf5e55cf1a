package collect

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/mount"

	"slipway/deploy/convert"
)

// Held is what one node's daemon holds, as far as it matters here.
type Held struct {
	Now        time.Time // by that daemon's clock
	Containers []container.Summary
	Ended      map[string]time.Time // when stopped containers stopped, by id
	Images     []image.Summary
}

// Spent is what may go from a node.
type Spent struct {
	Containers []Object
	Images     []Image
}

// Image has all the references to it; without any of them it is gone.
type Image struct{ References []string }

// Spent is pure. Containers go that are of the stack and have been stopped for some time, and
// images that no container there uses, that nothing needs, and that are as old. Since a stopped
// container holds its image, that is at least as long after the image was last used.
func (n Need) Spent(held Held, after time.Duration) Spent {
	var out Spent
	old := func(t time.Time) bool { return held.Now.Sub(t) >= after }
	used := map[string]bool{}
	for _, c := range held.Containers {
		if ended, known := held.Ended[c.ID]; n.stopped(c) && known && old(ended) {
			out.Containers = append(out.Containers, Object{c.ID, name(c)})
			continue
		}
		used[c.ImageID], used[key(c.Image)] = true, true
	}
	for _, i := range held.Images {
		references := slices.DeleteFunc(slices.Concat(i.RepoTags, i.RepoDigests), func(r string) bool { return strings.Contains(r, "<none>") })
		stays := func(r string) bool { return !n.repositories[repository(r)] || n.images[key(r)] || used[key(r)] }
		if fetched(i) && !used[i.ID] && old(time.Unix(i.Created, 0)) && !slices.ContainsFunc(references, stays) {
			out.Images = append(out.Images, Image{references})
		}
	}
	return out
}

// fetched tells whether a registry has the image too.
func fetched(i image.Summary) bool {
	return slices.ContainsFunc(i.RepoDigests, func(r string) bool { return !strings.Contains(r, "<none>") })
}

// anonymous is how Docker names volumes that nobody has named.
var anonymous = regexp.MustCompile(`^[0-9a-f]{64}$`)

// stopped tells whether a container is one of the stack's that does not run and is not about
// to. One with a volume of its own is left to Swarm, which removes both together once it
// forgets the task: until then somebody may want what is in the volume.
func (n Need) stopped(c container.Summary) bool {
	if c.Labels[convert.LabelNamespace] != n.stack || n.tasks[c.Labels["com.docker.swarm.task.id"]] {
		return false
	}
	switch c.State {
	case container.StateExited, container.StateDead, container.StateCreated:
	default:
		return false
	}
	return !slices.ContainsFunc(c.Mounts, func(m container.MountPoint) bool {
		return m.Type == mount.TypeVolume && anonymous.MatchString(m.Name)
	})
}

func name(c container.Summary) string {
	if len(c.Names) == 0 {
		return c.ID
	}
	return strings.TrimPrefix(c.Names[0], "/")
}
