package pipeline

import (
	"strings"
	"testing"
)

// A webhook's address is a credential: slipway.yaml says only where it is.
func TestWebhooksAreReferences(t *testing.T) {
	s, err := ParseSettings([]byte("environments: {dev: {webhooks: {ping: env://PING_WEBHOOK_URL}}}\n"))
	if err != nil || s.Environment("dev").Webhooks["ping"] != "env://PING_WEBHOOK_URL" {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = ParseSettings([]byte("environments: {dev: {webhooks: {ping: 'https://portainer.example.com/api/webhooks/c4nary'}}}\n"))
	if err == nil || strings.Contains(err.Error(), "c4nary") || !strings.Contains(err.Error(), "environments.dev.webhooks.ping: a webhook's address is a credential") {
		t.Errorf("%v", err)
	}
}
