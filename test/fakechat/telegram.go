package fakechat

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// telegramFields are sendMessage's (https://core.telegram.org/bots/api#sendmessage) that could be
// used here, with their types in JSON.
var telegramFields = map[string]string{
	"chat_id": "string", "text": "string", "parse_mode": "string", "message_thread_id": "number", "disable_notification": "bool",
	"protect_content": "bool", "link_preview_options": "object", "entities": "array", "reply_parameters": "object",
}

func jsonType(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	}
	return "null"
}

var method = regexp.MustCompile(`^/bot(\d+:[\w-]+)/(\w+)$`)

func (s *Server) telegram(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, description string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error_code": status, "description": description})
	}
	m := method.FindStringSubmatch(r.URL.Path)
	switch {
	case m == nil:
		fail(http.StatusNotFound, "Not Found")
		return
	case m[1] != s.TelegramToken:
		fail(http.StatusUnauthorized, "Unauthorized")
		return
	case m[2] != "sendMessage":
		fail(http.StatusNotFound, "Not Found: method not found")
		return
	case r.Method != http.MethodPost && r.Method != http.MethodGet:
		fail(http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	raw, err := io.ReadAll(r.Body)
	var fields map[string]any
	if err != nil || kind != "application/json" || json.Unmarshal(raw, &fields) != nil {
		fail(http.StatusBadRequest, "Bad Request: can't parse the request: it must be JSON here")
		return
	}
	for name, v := range fields {
		if want := telegramFields[name]; want != jsonType(v) && (name != "chat_id" || jsonType(v) != "number") {
			fail(http.StatusBadRequest, fmt.Sprintf("Bad Request: field %q is no %s, or not documented", name, want))
			return
		}
	}
	chat := strings.TrimSpace(fmt.Sprint(fields["chat_id"]))
	text, _ := fields["text"].(string)
	mode, _ := fields["parse_mode"].(string)
	switch {
	case !slices.Contains(s.TelegramChats, chat):
		fail(http.StatusBadRequest, "Bad Request: chat not found")
	case strings.TrimSpace(text) == "":
		fail(http.StatusBadRequest, "Bad Request: message text is empty")
	case len(utf16.Encode([]rune(text))) > 4096:
		fail(http.StatusBadRequest, "Bad Request: message is too long")
	case entities(mode, text) != "":
		fail(http.StatusBadRequest, "Bad Request: "+entities(mode, text))
	default:
		s.told(Message{Service: "telegram", To: chat, Text: text, Raw: raw})
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": map[string]any{"message_id": 1, "date": 1, "chat": map[string]any{"id": 1, "type": "group"}, "text": text}})
	}
}

var (
	tag      = regexp.MustCompile(`</?([a-zA-Z-]*)[^<>]*>?`)
	known    = []string{"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "a", "tg-spoiler", "blockquote"}
	reserved = regexp.MustCompile(`(^|[^\\])([_*\[\]()~` + "`" + `>#+=|{}.!-])`)
)

// entities says what is wrong with a formatted text, roughly as Telegram does.
func entities(mode, text string) string {
	switch strings.ToLower(mode) {
	case "", "markdown":
	case "html":
		for _, m := range tag.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, m[1]) {
				return fmt.Sprintf("can't parse entities: Unsupported start tag %q at byte offset %d", m[1], strings.Index(text, m[0]))
			}
		}
	case "markdownv2":
		if m := reserved.FindStringSubmatch(text); m != nil {
			return fmt.Sprintf("can't parse entities: Character '%s' is reserved and must be escaped with the preceding '\\'", m[2])
		}
	default:
		return "unsupported parse_mode"
	}
	return ""
}
