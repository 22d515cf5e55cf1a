package chat

import (
	"strings"
	"unicode/utf16"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// send tells one chat.
func (a Address) send(lines []string) error {
	lines = fit(lines)
	if a.String() == "telegram" {
		return a.telegram(strings.Join(lines, "\n"))
	}
	service, err := new(router.ServiceRouter).Locate(a.raw)
	if err != nil {
		return err
	}
	params := types.Params{}
	switch a.String() {
	case "discord":
		params["splitLines"] = "No" // one message
	case "slack":
		for i, l := range lines { // "<!here>" would call everybody ("Formatting text")
			lines[i] = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(l)
		}
		params["title"], lines = lines[0], lines[1:] // notifications show it; the rest becomes attachments
	case "smtp", "gotify", "ntfy", "pushover":
		params["title"] = lines[0]
	}
	return service.Send(strings.Join(lines, "\n"), &params)
}

// room is what every chat takes: Discord's bound of a message, the lowest but for Pushover's, in
// units of UTF-16.
const room = 2000

const cutShort = "… and more, which does not fit here: see Alertmanager"

// fit gives a copy of the lines that there is room for; the first is kept in any case.
func fit(lines []string) []string {
	units := func(s string) int { return len(utf16.Encode([]rune(s))) + 1 }
	var out []string
	left := room - units(cutShort)
	for i, l := range lines {
		if i == 0 && units(l) > left {
			runes := []rune(l)
			l = string(runes[:min(left/4, len(runes))])
		}
		if left -= units(l); left < 0 {
			return append(out, cutShort)
		}
		out = append(out, l)
	}
	return out
}
