package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"slipway/report/foreign"
	"slipway/report/retry"
	"slipway/secret"
)

// Settings are whom to tell.
type Settings struct {
	URLs    secret.Value  // NOTIFY_URL: shoutrrr's addresses, by spaces, commas or line ends
	Mask    foreign.Mask  // the secrets that no message may show
	Timeout time.Duration // of each service, all of them at once; 10 s where 0
	Retry   retry.Policy  // of what slipway sends itself
}

// Send tells all of them. It returns a warning for each that was not told, which names the kind
// of service and never its address.
func Send(ctx context.Context, s Settings, m Message) []string {
	if s.Timeout <= 0 {
		s.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	all := Split(s.URLs)
	if len(all) == 0 {
		return nil
	}
	lines := m.lines(s.Mask)
	results := make([]chan error, len(all))
	for i, address := range all {
		results[i] = make(chan error, 1) // so that one that comes too late is not stuck
		go func() { results[i] <- one(ctx, address, s.Retry, lines) }()
	}
	var warnings []string
	for i, address := range all {
		var err error
		select {
		case err = <-results[i]:
		case <-ctx.Done():
			// Both may be ready: what was told is no failure.
			select {
			case err = <-results[i]:
			default:
				err = ctx.Err()
			}
		}
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			err = fmt.Errorf("it did not answer in %s", s.Timeout)
		case errors.Is(err, context.Canceled):
			err = errors.New("it was stopped")
		}
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("the chat was not told by %s (address %d of NOTIFY_URL): %s", kindOf(address), i+1, s.Mask.Apply(without(err.Error(), address))))
		}
	}
	return warnings
}

// one tells one service.
func one(ctx context.Context, address secret.Value, p retry.Policy, lines []string) error {
	kind := kindOf(address)
	if err := ctx.Err(); err != nil {
		return err
	}
	switch kind {
	case unknown:
		return fmt.Errorf("shoutrrr has no such service: write telegram://TOKEN@telegram?chats=ID, slack://…, discord://…, or generic+https://HOST/PATH for a webhook")
	case "telegram":
		return telegram(ctx, p, address, fit(lines, boundOf(kind)))
	}
	service, err := new(router.ServiceRouter).Locate(address.Reveal())
	if err != nil {
		return fmt.Errorf("its address is not understood: %w", err)
	}
	params := types.Params{}
	switch kind {
	case "discord":
		params["splitLines"] = "No" // one message; its splitting overwrites parts of its own
	case "slack":
		lines = escapeSlack(lines)
		params["title"] = lines[0] // notifications show it; the rest becomes attachments, a line each
		lines = lines[1:]
	case "smtp", "gotify", "ntfy", "pushover":
		params["title"] = lines[0]
		if len(lines) > 1 {
			lines = lines[1:]
		}
	}
	if err := service.Send(fit(lines, boundOf(kind)), &params); err != nil {
		return err
	}
	return ctx.Err()
}

// escapeSlack writes what Slack's text has as &amp;, &lt; and &gt; ("Formatting text"): <!here>
// would call everybody.
func escapeSlack(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(l)
	}
	return out
}
