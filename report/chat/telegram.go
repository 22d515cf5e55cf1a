package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	shoutrrr "github.com/nicholas-fedor/shoutrrr/pkg/services/chat/telegram"

	"slipway/report/retry"
	"slipway/secret"
)

// telegramAPI is https://core.telegram.org/bots/api#making-requests.
const telegramAPI = "https://api.telegram.org"

// sendMessage is https://core.telegram.org/bots/api#sendmessage. There is no parse_mode: the text
// is plain, and a log line with a "<" or "_" in it is no error.
type sendMessage struct {
	ChatID              string       `json:"chat_id"`
	MessageThreadID     int          `json:"message_thread_id,omitempty"`
	Text                string       `json:"text"`
	LinkPreviewOptions  *linkPreview `json:"link_preview_options,omitempty"`
	DisableNotification bool         `json:"disable_notification,omitempty"`
}

type linkPreview struct {
	IsDisabled bool `json:"is_disabled"`
}

// telegram sends what shoutrrr's address says, without shoutrrr: its sender takes a connection
// that breaks, and an error that is no JSON, for a success (v0.13.2, telegram_client.go,
// GetErrorResponse).
func telegram(ctx context.Context, p retry.Policy, address secret.Value, text string) error {
	u, err := url.Parse(address.Reveal())
	if err != nil {
		return errors.New("its address is not understood")
	}
	var service shoutrrr.Service
	if err := service.Initialize(u, nil); err != nil {
		return fmt.Errorf("its address is not understood: %w", err)
	}
	c := service.GetConfig()
	var errs []error
	for _, chat := range c.Chats {
		m := sendMessage{ChatID: chat, Text: text, DisableNotification: !c.Notification}
		if id, thread, ok := strings.Cut(chat, ":"); ok { // shoutrrr's way to write a topic
			if n, err := strconv.Atoi(thread); err == nil {
				m.ChatID, m.MessageThreadID = id, n
			}
		}
		if !c.Preview {
			m.LinkPreviewOptions = &linkPreview{IsDisabled: true}
		}
		if err := post(ctx, p, telegramAPI+"/bot"+c.Token+"/sendMessage", m); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func post(ctx context.Context, p retry.Policy, address string, m sendMessage) error {
	if end, ok := ctx.Deadline(); ok {
		p.Total = time.Until(end) // so that a pause that is too long is not begun
	}
	ctx, cancel := p.Bound(ctx)
	defer cancel()
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the message as JSON: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("its address is not understood")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.Client().Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return err
	}
	said, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	var answer struct {
		OK          bool   `json:"ok"`
		Description string `json:"description"`
	}
	switch err := json.Unmarshal(said, &answer); {
	case err == nil && answer.OK && resp.StatusCode == http.StatusOK:
		return nil
	case err == nil && answer.Description != "":
		return fmt.Errorf("it answered %s: %s", resp.Status, answer.Description)
	}
	return fmt.Errorf("it answered %s", resp.Status)
}
