package fakechat

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestStrict asks as no client should, and once as one should.
func TestStrict(t *testing.T) {
	s := Start(t)
	s.TelegramToken, s.TelegramChats = "1:abc", []string{"-100"}
	s.SlackPath, s.DiscordPath = "/services/T/B/x", "/api/webhooks/1/x"
	transport := s.Transport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	long := strings.Repeat("я", 4097)
	const telegram, slack, discord = "https://api.telegram.org/bot1:abc/sendMessage", "https://hooks.slack.com/services/T/B/x", "https://discord.com/api/webhooks/1/x"
	for name, c := range map[string]struct {
		url, body string
		want      int
	}{
		"telegram":                {telegram, `{"chat_id":"-100","text":"a_b <c>"}`, 200},
		"telegram, longest":       {telegram, `{"chat_id":"-100","text":"` + long[2:] + `"}`, 200},
		"telegram, too long":      {telegram, `{"chat_id":"-100","text":"` + long + `"}`, 400},
		"telegram, too long in 😀": {telegram, `{"chat_id":"-100","text":"` + strings.Repeat("😀", 2049) + `"}`, 400},
		"telegram, wrong token":   {"https://api.telegram.org/bot1:abd/sendMessage", `{"chat_id":"-100","text":"a"}`, 401},
		"telegram, wrong method":  {"https://api.telegram.org/bot1:abc/send", `{"chat_id":"-100","text":"a"}`, 404},
		"telegram, no token":      {"https://api.telegram.org/sendMessage", `{"chat_id":"-100","text":"a"}`, 404},
		"telegram, chat":          {telegram, `{"chat_id":"-101","text":"a"}`, 400},
		"telegram, empty":         {telegram, `{"chat_id":"-100","text":" "}`, 400},
		"telegram, field":         {telegram, `{"chat_id":"-100","text":"a","title":"x"}`, 400},
		"telegram, type":          {telegram, `{"chat_id":"-100","text":"a","disable_notification":"yes"}`, 400},
		"telegram, mode":          {telegram, `{"chat_id":"-100","text":"a","parse_mode":"Text"}`, 400},
		"telegram, HTML":          {telegram, `{"chat_id":"-100","text":"a <none>","parse_mode":"HTML"}`, 400},
		"telegram, Markdown":      {telegram, `{"chat_id":"-100","text":"a.b","parse_mode":"MarkdownV2"}`, 400},
		"slack":                   {slack, `{"text":"a"}`, 200},
		"slack, wrong hook":       {slack + "y", `{"text":"a"}`, 404},
		"slack, empty":            {slack, `{}`, 400},
		"slack, field":            {slack, `{"text":"a","body":"x"}`, 400},
		"slack, empty attachment": {slack, `{"text":"a","attachments":[{"color":"red"}]}`, 400},
		"discord":                 {discord, `{"content":"a"}`, 204},
		"discord, too long":       {discord, `{"content":"` + long[:4002] + `"}`, 400},
		"discord, wrong hook":     {discord + "y", `{"content":"a"}`, 404},
		"discord, empty":          {discord, `{}`, 400},
		"webhook":                 {"http://" + s.Host + "/hook", `{"message":"a"}`, 200},
		"webhook, empty":          {"http://" + s.Host + "/hook", `{}`, 400},
	} {
		resp, err := client.Post(c.url, "application/json", strings.NewReader(c.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %s %.200s, want %d", name, resp.Status, said, c.want)
		}
	}
	if n := len(s.Messages()); n != 5 {
		t.Errorf("%d were told, want 5", n)
	}
	if resp, err := client.Get("https://elsewhere.invalid/"); err == nil {
		_ = resp.Body.Close()
		t.Error("another host was reached")
	}
	if got := s.Refused(); len(got) != 1 || got[0] != "elsewhere.invalid" {
		t.Errorf("refused were %q", got)
	}
}
