package chat

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	shoutrrr "github.com/nicholas-fedor/shoutrrr/pkg/services/chat/telegram"
	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"
)

// sendMessage is https://core.telegram.org/bots/api#sendmessage. There is no parse_mode: the text
// is plain, and a "<" or "_" in it is no error.
type sendMessage struct {
	ChatID              string `json:"chat_id"`
	MessageThreadID     int    `json:"message_thread_id,omitempty"`
	Text                string `json:"text"`
	DisableNotification bool   `json:"disable_notification,omitempty"`
}

// telegram sends what the address says without shoutrrr's own sender, which takes a connection
// that breaks for a success (v0.13.2, telegram_client.go, GetErrorResponse).
func (a Address) telegram(text string) error {
	u, err := url.Parse(a.raw)
	if err != nil {
		return errors.New("its address is not understood")
	}
	var service shoutrrr.Service
	if err := service.Initialize(u, nil); err != nil {
		return err
	}
	config := service.GetConfig()
	var errs []error
	for _, chat := range config.Chats {
		m := sendMessage{ChatID: chat, Text: text, DisableNotification: !config.Notification}
		if id, thread, ok := strings.Cut(chat, ":"); ok { // shoutrrr's way to write a topic
			if n, err := strconv.Atoi(thread); err == nil {
				m.ChatID, m.MessageThreadID = id, n
			}
		}
		var answer struct {
			OK bool `json:"ok"`
		}
		err := jsonclient.Post("https://api.telegram.org/bot"+config.Token+"/sendMessage", m, &answer)
		switch said := jsonclient.ErrorBody(err); {
		case said != "":
			err = errors.New(said)
		case err == nil && !answer.OK:
			err = errors.New("it answered that it did not send it")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
