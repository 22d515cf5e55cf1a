// Package reuse decides whether what was built and checked before counts again: the statement
// that says so, its signature, and the rules by which it is believed. Where statements are kept
// (a registry, a directory of this machine) is not known here.
package reuse

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Entry is what is known of a service that was built of some inputs, and passed its checks.
type Entry struct {
	Service  string
	Image    string // repository name with its registry, no tag
	Digest   string // of the image's manifest: "sha256:…"
	Inputs   string // tag of the inputs (pipeline.Inputs.ReuseTag)
	Tag      string // that the image was pushed under
	Commit   string // 40 hex digits
	Source   string // the repository's address, "" where it is not known
	Plan     int    // version of plans
	Platform string // "linux/amd64"
	Go       string // Go version, "" without Go code
	Tools    []string
	Checks   []string          // that passed: "build", "lint", "test"
	Bases    map[string]string // digests of base images by the names that the Dockerfile has
	Config   []byte            // the image's config before its stamp (packing.Unstamped)
	Finished time.Time
	Run      string // address of the CI job that did it, "" elsewhere
}

// Want is what somebody needs who would rather not build.
type Want struct {
	Service, Image, Inputs string
	Plan                   int
	Platform               string
	Checks                 []string // that must have passed
	Bases                  map[string]string
}

var manifestDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Fits says why an entry is not the one that is wanted, nil where it is. Its registry may go by
// another name: what is asked for the image is the one that is asked for the entry.
func (e *Entry) Fits(w Want) error {
	switch {
	case e.Service != w.Service:
		return fmt.Errorf("it is about the service %q", e.Service)
	case repository(e.Image) != repository(w.Image):
		return fmt.Errorf("it is about the image %q", e.Image)
	case e.Plan != w.Plan:
		return fmt.Errorf("it was made by plans of version %d, and these are of version %d", e.Plan, w.Plan)
	case e.Inputs != w.Inputs:
		return fmt.Errorf("it is about other inputs (%s)", short(e.Inputs))
	case e.Platform != w.Platform:
		return fmt.Errorf("it is about the platform %q", e.Platform)
	case !maps.Equal(e.Bases, w.Bases):
		return fmt.Errorf("it stands on other base images")
	case !manifestDigest.MatchString(e.Digest):
		return fmt.Errorf("it names no image (%q)", e.Digest)
	case len(e.Config) == 0:
		return fmt.Errorf("it lacks the image's config")
	}
	for _, c := range w.Checks {
		if !slices.Contains(e.Checks, c) {
			return fmt.Errorf("it does not say that %s passed", c)
		}
	}
	return nil
}

// repository is an image's name without its registry.
func repository(image string) string {
	host, rest, found := strings.Cut(image, "/")
	if found && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return rest
	}
	return image
}

func short(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}
