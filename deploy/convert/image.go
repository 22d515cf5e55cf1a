package convert

import (
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// image pins an image to its digest. The tag stays, for people: "nginx:1.27@sha256:…".
func (c *converter) image(key, image string) string {
	if c.Digests == nil {
		return image
	}
	at := []string{"services", key, "image"}
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		c.fail(at, "%q is no image: %v", image, err)
		return image
	}
	if _, ok := ref.(reference.Canonical); ok {
		return reference.FamiliarString(ref)
	}
	sum, err := digest.Parse(c.Digests[image])
	if err != nil {
		c.fail(at, "the digest of %s is not known, so it cannot be pinned", image)
		return image
	}
	pinned, err := reference.WithDigest(reference.TagNameOnly(ref), sum)
	if err != nil {
		c.fail(at, "%s cannot be pinned to %s: %v", image, sum, err)
		return image
	}
	return reference.FamiliarString(pinned)
}

// Images are the images of a stack that need a digest, sorted, each once.
func (s *Stack) Images() []string {
	var out []string
	for _, one := range s.Services {
		ref, err := reference.ParseNormalizedNamed(one.Spec.Labels[LabelImage])
		if _, pinned := ref.(reference.Canonical); err == nil && !pinned {
			out = append(out, one.Spec.Labels[LabelImage])
		}
	}
	return unique(out)
}
