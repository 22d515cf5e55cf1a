package fakechat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf16"
)

// strictly reads JSON with documented fields only.
func strictly(r *http.Request, v any) (raw []byte, err error) {
	if raw, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return nil, fmt.Errorf("the content type is %q", kind)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return raw, d.Decode(v)
}

// slack is an incoming webhook (https://api.slack.com/messaging/webhooks).
func (s *Server) slack(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Text        string `json:"text"`
		Username    string `json:"username"`
		Channel     string `json:"channel"`
		IconEmoji   string `json:"icon_emoji"`
		IconURL     string `json:"icon_url"`
		ThreadTS    string `json:"thread_ts"`
		Attachments []struct {
			Text, Fallback, Title, Color string
		} `json:"attachments"`
	}
	if r.URL.Path != s.SlackPath {
		http.Error(w, "no_service", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "invalid_method", http.StatusMethodNotAllowed)
		return
	}
	raw, err := strictly(r, &m)
	lines := []string{m.Text}
	for _, a := range m.Attachments {
		if a.Text == "" && a.Fallback == "" && a.Title == "" {
			lines = nil // nothing to show
			break
		}
		lines = append(lines, a.Text)
	}
	text := strings.Join(lines, "\n")
	switch {
	case err != nil:
		http.Error(w, "invalid_payload", http.StatusBadRequest)
	case strings.TrimSpace(text) == "":
		http.Error(w, "no_text", http.StatusBadRequest)
	case len(m.Attachments) > 100:
		http.Error(w, "too_many_attachments", http.StatusBadRequest)
	default:
		s.told(Message{Service: "slack", To: r.URL.Path, Text: text, Raw: raw})
		_, _ = io.WriteString(w, "ok")
	}
}

// discord is a webhook (https://discord.com/developers/docs/resources/webhook#execute-webhook).
func (s *Server) discord(w http.ResponseWriter, r *http.Request) {
	fail := func(status, code int, message string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"message": message, "code": code})
	}
	var m struct {
		Content   string `json:"content"`
		Username  string `json:"username"`
		AvatarURL string `json:"avatar_url"`
		Embeds    []struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			Color       uint   `json:"color"`
			Timestamp   string `json:"timestamp"`
		} `json:"embeds"`
	}
	length := func(s string) int { return len(utf16.Encode([]rune(s))) }
	switch {
	case !strings.HasPrefix(r.URL.Path, "/api/webhooks/"):
		fail(http.StatusNotFound, 0, "404: Not Found")
		return
	case r.Method != http.MethodPost:
		fail(http.StatusMethodNotAllowed, 0, "405: Method Not Allowed")
		return
	case r.URL.Path != s.DiscordPath:
		fail(http.StatusNotFound, 10015, "Unknown Webhook")
		return
	}
	raw, err := strictly(r, &m)
	texts, total, long := []string{m.Content}, 0, false
	for _, e := range m.Embeds {
		texts = append(texts, e.Description)
		total += length(e.Title) + length(e.Description)
		long = long || length(e.Description) > 4096 || length(e.Title) > 256
	}
	switch {
	case err != nil:
		fail(http.StatusBadRequest, 50109, "The request body contains invalid JSON.")
	case m.Content == "" && len(m.Embeds) == 0:
		fail(http.StatusBadRequest, 50006, "Cannot send an empty message")
	case length(m.Content) > 2000 || len(m.Embeds) > 10 || total > 6000 || long:
		fail(http.StatusBadRequest, 50035, "Invalid Form Body")
	default:
		s.told(Message{Service: "discord", To: r.URL.Path, Text: strings.Join(texts, "\n"), Raw: raw})
		w.WriteHeader(http.StatusNoContent)
	}
}

// webhook takes a text, or JSON with a message.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	text := string(raw)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "application/json" {
		var m struct{ Message string }
		err = json.Unmarshal(raw, &m)
		text = m.Message
	}
	switch {
	case r.Method != http.MethodPost:
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
	case err != nil || text == "":
		http.Error(w, "no message", http.StatusBadRequest)
	case len(raw) > 64<<10:
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	default:
		s.told(Message{Service: "webhook", To: r.URL.Path, Text: text, Raw: raw})
	}
}
