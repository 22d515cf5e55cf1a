// Package secrets knows the external secrets of environments: their versions, who uses them,
// and which version a deploy is to use. A secret in a Swarm never changes, so that a new value
// is a new secret, and labels say whose version it is.
package secrets

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
)

// Labels of secrets that slipway has set. com.docker.stack.namespace is not among them: what
// removes a stack by that label would take its passwords along, and leave the data that they
// open.
const (
	labelName    = "slipway.secret"          // what manifests call it
	labelVersion = "slipway.secret.version"  // counts from 1
	labelStack   = "slipway.secret.stack"    // whose environment set it
	labelPending = "slipway.secret.pending"  // "true": made, and not yet to be used
	labelTold    = "slipway.secret.database" // "true": a database was given it, and knows no earlier one
)

// Version is one value of a secret.
type Version struct {
	Name    string // in the Swarm
	Number  int
	ID      string
	Created time.Time
	Stack   string // whose environment set it, "" for one that was made by other means
	Pending bool
	Told    bool
}

// Base is what manifests call a secret of the Swarm. One that slipway has not set is its own.
func Base(s swarm.Secret) string { return cmp.Or(s.Spec.Labels[labelName], s.Spec.Name) }

// BaseOf is Base for a name, itself where there is no such secret.
func BaseOf(all []swarm.Secret, name string) string {
	for _, s := range all {
		if s.Spec.Name == name {
			return Base(s)
		}
	}
	return name
}

// Owned tells the secrets that a stack's manifest makes, which are no matter of this package.
func Owned(s swarm.Secret) bool { return s.Spec.Labels[convert.LabelNamespace] != "" }

// Versions has all that there is of a secret, the newest first, pending ones included.
func Versions(all []swarm.Secret, base string) (out []Version) {
	for _, s := range all {
		if Base(s) == base && !Owned(s) {
			out = append(out, version(s))
		}
	}
	slices.SortFunc(out, func(a, b Version) int {
		return cmp.Or(cmp.Compare(b.Number, a.Number), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func version(s swarm.Secret) Version {
	number, err := strconv.Atoi(s.Spec.Labels[labelVersion])
	if err != nil || number < 1 {
		number = 1
	}
	return Version{
		Name: s.Spec.Name, Number: number, ID: s.ID, Created: s.CreatedAt, Stack: s.Spec.Labels[labelStack],
		Pending: s.Spec.Labels[labelPending] == "true", Told: s.Spec.Labels[labelTold] == "true",
	}
}

// Newest is the version in effect, false where there is none.
func Newest(all []swarm.Secret, base string) (Version, bool) {
	for _, v := range Versions(all, base) {
		if !v.Pending {
			return v, true
		}
	}
	return Version{}, false
}

// First is the spec of a secret's first version.
func First(stack, base string) swarm.SecretSpec { return spec(stack, base, base, 1) }

// Next is the spec of the version after all that there are.
func Next(all []swarm.Secret, stack, base string) swarm.SecretSpec {
	number := 1
	for _, v := range Versions(all, base) {
		number = max(number, v.Number)
	}
	for {
		number++
		name := versioned(base, number)
		if !slices.ContainsFunc(all, func(s swarm.Secret) bool { return s.Spec.Name == name }) {
			return spec(stack, base, name, number)
		}
	}
}

func spec(stack, base, name string, number int) swarm.SecretSpec {
	return swarm.SecretSpec{Annotations: swarm.Annotations{Name: name, Labels: map[string]string{
		labelName: base, labelVersion: strconv.Itoa(number), labelStack: stack,
	}}}
}

// nameLimit is Swarm's for a secret's name.
const nameLimit = 64

// versioned is "NAME_v2", where a long name ends in a hash of the whole.
func versioned(base string, number int) string {
	tail := "_v" + strconv.Itoa(number)
	if len(base)+len(tail) > nameLimit {
		sum := sha256.Sum256([]byte(base))
		hash := "-" + hex.EncodeToString(sum[:4])
		base = strings.TrimRight(base[:nameLimit-len(tail)-len(hash)], "-_.") + hash
	}
	return base + tail
}
