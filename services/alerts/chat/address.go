// Package chat tells chats, by the addresses that shoutrrr understands.
package chat

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
)

// Address is where a chat is. It holds a token, and prints as its kind alone.
type Address struct{ raw string }

const unknown = "an unknown service"

// String is the kind of service: "telegram". What is none of shoutrrr's could be a secret itself.
func (a Address) String() string {
	scheme, _, ok := strings.Cut(a.raw, "://")
	kind, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	if ok && slices.Contains(new(router.ServiceRouter).ListServices(), kind) {
		return kind
	}
	return unknown
}

// GoString is String.
func (a Address) GoString() string { return a.String() }

// Addresses reads NOTIFY_URL, or the file that NOTIFY_URL_FILE names.
func Addresses(getenv func(string) string) ([]Address, error) {
	given := getenv("NOTIFY_URL")
	if file := getenv("NOTIFY_URL_FILE"); file != "" {
		if given != "" {
			return nil, errors.New("both NOTIFY_URL and NOTIFY_URL_FILE are set: keep one of the two")
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading where to tell alerts (NOTIFY_URL_FILE): %w", err)
		}
		given = string(content)
	}
	all := split(given)
	if len(all) == 0 {
		return nil, errors.New("nobody would hear of an alert: set NOTIFY_URL or NOTIFY_URL_FILE to addresses such as telegram://TOKEN@telegram?chats=ID")
	}
	for i, a := range all {
		if _, err := new(router.ServiceRouter).Locate(a.raw); err != nil {
			return nil, fmt.Errorf("address %d of NOTIFY_URL is not understood: %s", i+1, a.hidden(err.Error()))
		}
	}
	return all, nil
}

// next is where another address begins behind a comma; an address may have commas of its own
// (telegram's chats=a,b).
var next = regexp.MustCompile(`,([a-zA-Z][a-zA-Z0-9+.-]*://)`)

func split(all string) []Address {
	var out []Address
	for _, part := range strings.Fields(next.ReplaceAllString(all, " $1")) {
		if part = strings.Trim(part, ","); part != "" {
			out = append(out, Address{part})
		}
	}
	return out
}

var (
	webAddress = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']+`)
	separator  = regexp.MustCompile(`[^A-Za-z0-9_]+`)
)

// hidden takes the address out of an error, also where a service put it together anew from the
// parts. Parts of fewer than 6 letters are words.
func (a Address) hidden(text string) string {
	text = webAddress.ReplaceAllString(text, "***")
	all := a.raw
	if plain, err := url.QueryUnescape(all); err == nil {
		all += " " + plain
	}
	for _, part := range separator.Split(all, -1) {
		if len(part) >= 6 && part != a.String() {
			text = strings.ReplaceAll(text, part, "***")
		}
	}
	return strings.Join(strings.Fields(text), " ")
}
