package diff

import (
	"regexp"
	"strings"

	"slipway/deploy/manifest"
)

// secretName finds variables that by their name hold a secret, and not a file with one. A
// manifest that puts one there is warned of; what is live may be from before slipway.
var secretName = regexp.MustCompile(`(?i)(^|[_.-])` + manifest.SecretWords)

// login finds the password of an address: "postgres://app:PASSWORD@db/app".
var login = regexp.MustCompile(`(://[^/\s:@]*:)[^/\s@]+@`)

const mask = "***"

// masked is a value as it may be shown. That it differs shows all the same.
func masked(path, v string) string {
	if strings.HasPrefix(path, "environment.") && secretName.MatchString(path) && v != "" && v != empty && v != "(unset)" {
		return mask
	}
	return login.ReplaceAllString(v, "${1}"+mask+"@")
}
