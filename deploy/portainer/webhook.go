package portainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"slipway/secret"
)

// Webhook is the address by which one service is updated. Whoever has it can do so.
type Webhook struct {
	address secret.Value
	host    string
	web     *http.Client
}

var webhookPath = regexp.MustCompile(`/api/webhooks/([A-Za-z0-9-]+)$`)

// NewWebhook reads a webhook's address, as Portainer shows it at a service. ca is as Settings
// has it. Errors do not have the address in them.
func NewWebhook(address secret.Value, ca string) (*Webhook, error) {
	u, err := url.Parse(address.Reveal())
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("it is no address: Portainer shows the webhook's whole address at the service, https://portainer.example.com/api/webhooks/…")
	case strings.Contains(u.Path, "/stacks/webhooks/"):
		return nil, errors.New("it is the webhook of a whole stack, which updates from git: take the one that Portainer shows at the service")
	case !webhookPath.MatchString(u.Path) || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("it is not the address of a service's webhook, which ends in /api/webhooks/ and a code")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("it begins with http://, and whoever is on the way could read it and use it: use https://")
	}
	t, err := transport(ca)
	if err != nil {
		return nil, err
	}
	return &Webhook{address, u.Host, &http.Client{Transport: t, CheckRedirect: stay, Timeout: webhookPatience}}, nil
}

// webhookPatience is how long Portainer may take: it looks the image up and updates the service
// before it answers, and waits for a minute where it is being restored.
const webhookPatience = 2 * time.Minute

// LostError says that nothing is known of what a call has done.
type LostError struct{ error }

func (e LostError) Unwrap() error { return e.error }

// Call lets Portainer update the service to a tag. That it went well means that Portainer has told
// the Swarm, and no more: whether the service runs is for others to see.
func (w *Webhook) Call(ctx context.Context, tag string) error {
	u, err := url.Parse(w.address.Reveal())
	if err != nil {
		return errors.New("calling the webhook: its address cannot be read")
	}
	u.RawQuery = url.Values{"tag": {tag}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), nil)
	if err != nil {
		return errors.New("calling the webhook: its address cannot be read")
	}
	s := Settings{URL: &url.URL{Scheme: u.Scheme, Host: u.Host}}
	got, err := w.web.Do(r)
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" { // it was not sent
		return fmt.Errorf("calling the webhook: %w", s.unreached(err))
	}
	if err != nil {
		return LostError{fmt.Errorf("calling the webhook: %w", s.unreached(err))}
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(got.Body, errorLimit))
	if err != nil {
		return LostError{fmt.Errorf("calling the webhook: %w", s.unreached(err))}
	}
	said, portainers, _ := read(got.Header, body)
	text := harmless(said.Message)
	if said.Details != said.Message && said.Details != "" {
		text += ": " + harmless(said.Details)
	}
	switch {
	case got.StatusCode == http.StatusNoContent:
		return nil
	case got.StatusCode == http.StatusNotFound && strings.Contains(said.Message, "webhook"):
		return fmt.Errorf("Portainer at %s has no such webhook: it was switched off, or the service was made anew, which ends its webhook. Take the new address from the service in Portainer", w.host)
	case got.StatusCode == http.StatusNotFound && strings.Contains(said.Message, "pulling image"):
		return fmt.Errorf("Portainer at %s could not pull the image (%s): the webhook needs the registry chosen, in Portainer, with credentials that may pull it", w.host, text)
	case portainers && strings.Contains(said.Message, "looking up service"):
		return fmt.Errorf("Portainer at %s no longer has the webhook's service (%s): it was removed, or made anew, which ends its webhook. Take the new address from the service in Portainer", w.host, text)
	case portainers:
		return fmt.Errorf("Portainer at %s refused the webhook (%d): %s", w.host, got.StatusCode, text)
	case got.StatusCode >= 500:
		return LostError{fmt.Errorf("calling the webhook: %w", s.refused(got.StatusCode, got.Header, body))}
	case got.StatusCode >= 300 && got.StatusCode < 400:
		return fmt.Errorf("Portainer at %s sends the webhook on to %s, and it is not called there: write the address that Portainer itself has", w.host, elsewhere(got.Header.Get("Location")))
	}
	return fmt.Errorf("what answers at %s to the webhook is no Portainer: %d %s, where Portainer has 204", w.host, got.StatusCode, http.StatusText(got.StatusCode))
}

// Retag is the image that a service of this image gets by a webhook with a tag: Portainer looks
// for the last colon, wherever it is (api/http/handler/webhooks/webhook_execute.go).
func Retag(image, tag string) (string, error) {
	name, _, _ := strings.Cut(image, "@sha")
	i := strings.LastIndex(name, ":")
	switch {
	case i < 0:
		return name + ":" + tag, nil
	case i < strings.LastIndex(name, "/"):
		return "", fmt.Errorf("the image %s has no tag, and a port: Portainer would take the port for the tag and deploy %s. Give the image a tag in the stack's file first", name, name[:i]+":"+tag)
	}
	return name[:i] + ":" + tag, nil
}
