package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// ReusePrefix begins the tags under which a registry keeps what was built of some inputs.
const ReusePrefix = "inputs-"

// ReuseTag is the tag "inputs-" and 64 hex digits that names, in a registry, what is built of
// these inputs: equal for equal content, whatever the commit, the clone, the machine or the
// engine, and another one as soon as anything that is built into the image or checked may
// differ. It is a hash of Hash (files, parts of files, tools, build arguments, platform,
// PlanVersion) and of the digest of each image in Bases, since what a name like nginx:1.27
// holds changes without any file that does.
//
// digests gives, by an image's name as Bases has it, its digest ("sha256:…"); a plan is made
// without a network, so whoever asks a registry for the tag asks for these as well. A base
// that is named by its digest (nginx@sha256:…) needs none. Where a digest is missing there is
// no tag: ok is false, and what was built must not be reused.
func (in *Inputs) ReuseTag(digests map[string]string) (tag string, ok bool) {
	bases := slices.Clone(in.Bases)
	slices.Sort(bases)
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "inputs %s\n", in.Hash)
	for _, base := range slices.Compact(bases) {
		digest := digests[base]
		if _, pinned, is := strings.Cut(base, "@"); is {
			digest = pinned
		}
		if digest == "" {
			return "", false
		}
		_, _ = fmt.Fprintf(h, "base %q %q\n", base, digest)
	}
	return ReusePrefix + hex.EncodeToString(h.Sum(nil)), true
}
