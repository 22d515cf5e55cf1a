package chat

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"

	"slipway/report/foreign"
	"slipway/secret"
)

// next is where another address begins behind a comma; an address may have commas of its own
// (telegram's chats=a,b).
var next = regexp.MustCompile(`,([a-zA-Z][a-zA-Z0-9+.-]*://)`)

// Split takes NOTIFY_URL apart.
func Split(all secret.Value) []secret.Value {
	var out []secret.Value
	for _, part := range strings.Fields(all.Reveal()) {
		for address := range strings.SplitSeq(next.ReplaceAllString(part, "\n$1"), "\n") {
			if address = strings.Trim(address, ","); address != "" {
				out = append(out, secret.New(address))
			}
		}
	}
	return out
}

const unknown = "an unknown service"

// kindOf names an address's service: "telegram". What is none of shoutrrr's could be a secret
// itself, and is not shown.
func kindOf(address secret.Value) string {
	scheme, _, ok := strings.Cut(address.Reveal(), "://")
	kind, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	if ok && slices.Contains(new(router.ServiceRouter).ListServices(), kind) {
		return kind
	}
	return unknown
}

var (
	webAddress = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']+`)
	separator  = regexp.MustCompile(`[^A-Za-z0-9_]+`)
)

// minPart is the shortest part of an address that is hidden: shorter ones are words.
const minPart = 6

// without hides an address in an error, also where a service put it together anew from the
// parts.
func without(text string, address secret.Value) string {
	raw := address.Reveal()
	hide := []secret.Value{address}
	plain, err := url.QueryUnescape(raw)
	if err != nil {
		plain = raw
	}
	kind := kindOf(address)
	for _, s := range []string{raw, plain} {
		_, rest, _ := strings.Cut(s, "://")
		if u, err := url.Parse(s); err == nil && u.User != nil {
			p, _ := u.User.Password()
			hide = append(hide, secret.New(u.User.String()), secret.New(u.User.Username()), secret.New(p))
		}
		for _, part := range separator.Split(rest, -1) {
			if len(part) >= minPart && part != kind {
				hide = append(hide, secret.New(part))
			}
		}
	}
	text = webAddress.ReplaceAllString(text, "***")
	return foreign.Cut(foreign.Line(foreign.NewMask(hide...).Apply(text)), 500)
}
