package chat

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/report/comment"
	"slipway/report/foreign"
	"slipway/report/retry"
	"slipway/secret"
	"slipway/test/fakechat"
	"slipway/test/faulty"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	telegramToken = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
	slackPath     = "/services/T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx"
	discordPath   = "/api/webhooks/112233445566778899/d1sc0rd-t0ken_ABCDEFG"

	telegramURL = "telegram://" + telegramToken + "@telegram?chats=-100777"
	slackURL    = "slack://hook:T0AAAAAAA-B0BBBBBBB-abcdefghijklmnopqrstuvwx@webhook"
	discordURL  = "discord://d1sc0rd-t0ken_ABCDEFG@112233445566778899"
)

// secrets are what no message and no warning may show.
var secrets = []string{
	"AAEhBOweik6ad9r_QXMENQjcrGbqCr4K", "123456789", "-100777", "B0BBBBBBB", "abcdefghijklmnopqrstuvwx", "d1sc0rd", "112233445566778899", "h00kt0ken", "hunter2",
}

// current is how the running test's services are reached.
var current atomic.Pointer[http.Transport]

type viaCurrent struct{}

func (viaCurrent) RoundTrip(r *http.Request) (*http.Response, error) {
	return current.Load().RoundTrip(r)
}

func TestMain(m *testing.M) {
	http.DefaultTransport = viaCurrent{} // the one that shoutrrr's services use
	os.Exit(m.Run())
}

// bed is the chat services, which this process reaches and nothing else.
func bed(t *testing.T) (*fakechat.Server, Settings) {
	s := fakechat.Start(t)
	s.TelegramToken, s.TelegramChats = telegramToken, []string{"-100777", "@shop"}
	s.SlackPath, s.DiscordPath = slackPath, discordPath
	transport := s.Transport()
	current.Store(transport)
	t.Cleanup(transport.CloseIdleConnections)
	var mu sync.Mutex
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	return s, Settings{
		Mask: foreign.NewMask(secret.New("hunter2-hunter2")),
		Retry: retry.Policy{
			Now: func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return now
			},
			Pause: func(ctx context.Context, d time.Duration) error {
				mu.Lock()
				defer mu.Unlock()
				now = now.Add(d)
				return ctx.Err()
			},
		},
	}
}

func ptr(n int) *int { return &n }

var about = comment.About{Link: "https://gitlab.example.com/acme/shop/-/jobs/77", Reproduce: "mage ci:repro 4605cc6e -labels=dev-deploy"}

var messages = map[string]Message{
	"done": {
		Project: "shop", Env: "dev", Stack: "shop_dev", Release: 3, OK: true, Result: "done", Who: "alice", Branch: "main", Commit: "4605cc6e0f9d2f4b",
		Services: []comment.Service{{Name: "backend", Tag: "20240725_4605cc6e", State: "done"}, {Name: "ping", Tag: "20240601_0a1b2c3d", State: "done"}},
		Changes:  []string{"update service shop_dev_backend"}, Took: 12300 * time.Millisecond, About: about,
	},
	"rolled-back": {
		Project: "shop", Env: "prod", Stack: "shop_prod", Release: 12, Result: "rolled back", Cause: "backend: rolled back", Next: "mend it, then deploy again",
		Who: "@alice", Branch: "main", Commit: "4605cc6e0f9d2f4b", Took: 83 * time.Second, About: about,
		Services: []comment.Service{
			{Name: "backend", Tag: "20240725_4605cc6e", State: "rolled back", Reason: &comment.Reason{
				Message: "the new task ended by itself", Task: "shop_prod_backend.1", Node: "node-1", ExitCode: ptr(137), Error: "task: non-zero exit (137)",
				Health: []string{"curl: (7) Failed to connect"}, Log: []string{"starting", "login hunter2-hunter2 <!channel>", "\x1b[31mpanic: *_no such table_*\x1b[0m"}, Now: "backend:20240601_0a1b2c3d, 2 of 2 tasks",
			}},
			{Name: "ping", Tag: "20240601_0a1b2c3d", State: "done"},
		},
	},
	"pipeline": {Result: "failed", Cause: "ping: 2 tests failed", About: about},
}

func TestGolden(t *testing.T) {
	for name, m := range messages {
		got := fit(m.lines(foreign.NewMask(secret.New("hunter2-hunter2"))), boundOf("telegram")) + "\n"
		path := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s differs (-want +got); -update writes it anew:\n%s", path, d)
		}
	}
}

// leaks tells which secret a text shows.
func leaks(text string) string {
	i := slices.IndexFunc(secrets, func(s string) bool { return strings.Contains(text, s) })
	if i < 0 {
		return ""
	}
	return secrets[i]
}

func TestEveryServiceIsTold(t *testing.T) {
	s, settings := bed(t)
	webhook := "generic://" + s.Host + "/hook/h00kt0ken?disabletls=yes"
	settings.URLs = secret.New(telegramURL + ",@shop," + slackURL + " " + discordURL + "\n" + webhook + "&template=json\n" + webhook)
	if warnings := Send(t.Context(), settings, messages["rolled-back"]); len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
	count := map[string]int{}
	for _, m := range s.Messages() {
		count[m.Service+" "+m.To]++
		for _, want := range []string{"shop: deploy to prod: rolled back (release 12, 1m23s)", "stack: shop_prod", "backend 20240725_4605cc6e", "exit code 137", "no such table", "branch main", about.Link, about.Reproduce} {
			if !strings.Contains(m.Text, want) {
				t.Errorf("%s was not told %q:\n%s", m.Service, want, m.Text)
			}
		}
		for _, bad := range []string{"@alice", "hunter2", "\x1b", "parse_mode"} {
			if strings.Contains(string(m.Raw), bad) {
				t.Errorf("%s was told %q:\n%s", m.Service, bad, m.Raw)
			}
		}
		if m.Service == "slack" && strings.Contains(m.Text, "<!channel>") {
			t.Errorf("Slack would call the channel:\n%s", m.Text)
		}
	}
	want := map[string]int{"telegram -100777": 1, "telegram @shop": 1, "slack " + slackPath: 1, "discord " + discordPath: 1, "webhook /hook/h00kt0ken": 2}
	if d := cmp.Diff(want, count); d != "" {
		t.Errorf("who was told differs (-want +got):\n%s", d)
	}
}

func TestFailuresAreWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		url   string
		fault *faulty.Fault
		want  string
	}{
		"telegram: wrong token":      {"telegram://123456789:wrong_AAEhBOweik6ad9r@telegram?chats=-100777", nil, "by telegram (address 1 of NOTIFY_URL): it answered 401 Unauthorized"},
		"telegram: no such chat":     {"telegram://" + telegramToken + "@telegram?chats=-100888", nil, "chat not found"},
		"telegram: no chats":         {"telegram://" + telegramToken + "@telegram", nil, "by telegram"},
		"telegram: bad token":        {"telegram://AAEhBOweik6ad9r_QXMENQjcrGbqCr4K@telegram?chats=-100777", nil, "is not understood"},
		"telegram: 403":              {telegramURL, &faulty.Fault{Status: 403, Body: `{"ok":false,"description":"Forbidden: bot was kicked"}`}, "bot was kicked"},
		"telegram: 500":              {telegramURL, &faulty.Fault{Status: 500, Times: -1}, "500"},
		"telegram: no JSON":          {telegramURL, &faulty.Fault{Status: 200, Body: "<html>"}, "it answered 200"},
		"telegram: closed":           {telegramURL, &faulty.Fault{Drop: true, Times: -1}, "connection"},
		"telegram: cut off":          {telegramURL, &faulty.Fault{Cut: true, Times: -1}, "cut off"},
		"telegram: no answer":        {telegramURL, &faulty.Fault{Hang: true, Times: -1}, "it did not answer in"},
		"telegram: limited for long": {telegramURL, &faulty.Fault{Status: 429, Header: map[string]string{"Retry-After": "3600"}}, "429"},
		"slack: wrong hook":          {strings.Replace(slackURL, "B0BBBBBBB", "B0CCCCCCC", 1), nil, "by slack"},
		"slack: 500":                 {slackURL, &faulty.Fault{Status: 500}, "500"},
		"slack: closed":              {slackURL, &faulty.Fault{Drop: true, Times: -1}, "by slack"},
		"slack: no answer":           {slackURL, &faulty.Fault{Hang: true, Times: -1}, "it did not answer in"},
		"slack: bad address":         {"slack://abcdefghijklmnopqrstuvwx", nil, "is not understood"},
		"discord: unknown":           {"discord://d1sc0rd-other@112233445566778899", nil, "404"},
		"discord: bad address":       {"discord://d1sc0rd-t0ken_ABCDEFG@112233445566778899/d1sc0rd", nil, "is not understood"},
		"webhook: 404":               {"generic://HOST/h00kt0ken?disabletls=yes", &faulty.Fault{Status: 404}, "404"},
		"webhook: closed":            {"generic+http://HOST/h00kt0ken?key=h00kt0ken", &faulty.Fault{Drop: true, Times: -1}, "by generic"},
		"webhook: no answer":         {"generic://HOST/h00kt0ken?disabletls=yes", &faulty.Fault{Hang: true, Times: -1}, "it did not answer in"},
		"webhook: unreachable":       {"generic://u:hunter2@127.0.0.1:1/h00kt0ken?disabletls=yes", nil, "refused"},
		"a plain address":            {"https://hooks.slack.com" + slackPath, nil, "an unknown service (address 1 of NOTIFY_URL): shoutrrr has no such service"},
		"a token alone":              {telegramToken, nil, "an unknown service"},
		"no address at all":          {"tele gram", nil, "address 2 of NOTIFY_URL"},
		"an address of nothing":      {"telegram://\x7f:hunter2hunter2", nil, "by telegram"},
	} {
		t.Run(name, func(t *testing.T) {
			s, settings := bed(t)
			settings.Timeout = 5 * time.Second
			if c.fault != nil {
				s.Faults.Add(*c.fault)
				if c.fault.Hang {
					settings.Timeout = 300 * time.Millisecond
				}
			}
			settings.URLs = secret.New(strings.Replace(c.url, "HOST", s.Host, 1))
			warnings := Send(t.Context(), settings, messages["done"])
			text := strings.Join(warnings, "\n")
			if len(warnings) == 0 || !strings.Contains(text, c.want) {
				t.Errorf("the warnings are %q, want %q in one", warnings, c.want)
			}
			if bad := leaks(text); bad != "" {
				t.Errorf("a warning shows %q: %q", bad, text)
			}
		})
	}
}

// TestOneFailureStopsNoOther: a service that does not answer, one that refuses and one that is
// well, at once; and a limit that is over soon.
func TestOneFailureStopsNoOther(t *testing.T) {
	s, settings := bed(t)
	settings.Timeout = 2 * time.Second // longer than the pause that Telegram asks for
	settings.URLs = secret.New(slackURL + "," + telegramURL + "," + discordURL)
	s.Faults.Add(faulty.Fault{Path: "/services/", Hang: true})
	s.Faults.Add(faulty.Fault{Path: "/webhooks/", Status: 401})
	s.Faults.Add(faulty.Fault{Path: "/bot", Status: 429, Header: map[string]string{"Retry-After": "1"}})
	warnings := Send(t.Context(), settings, messages["done"])
	if len(warnings) != 2 || !strings.Contains(warnings[0], "by slack (address 1") || !strings.Contains(warnings[1], "by discord (address 3") {
		t.Errorf("the warnings are %q", warnings)
	}
	if got := s.Messages(); len(got) != 1 || got[0].Service != "telegram" {
		t.Errorf("told were %+v", got)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if warnings := Send(stopped, settings, messages["done"]); len(warnings) != 3 {
		t.Errorf("stopped, the warnings are %q", warnings)
	}
	if warnings := Send(t.Context(), Settings{}, messages["done"]); warnings != nil {
		t.Errorf("with nobody to tell, the warnings are %q", warnings)
	}
}

func TestLongMessages(t *testing.T) {
	s, settings := bed(t)
	settings.URLs = secret.New(telegramURL + "," + slackURL + "," + discordURL + ",generic://" + s.Host + "/h00kt0ken?disabletls=yes")
	m := messages["rolled-back"]
	r := *m.Services[0].Reason
	r.Log = nil
	for range 5000 {
		r.Log = append(r.Log, strings.Repeat("длинная строка 😀 ", 100))
	}
	r.Health = r.Log
	m.Services = slices.Repeat([]comment.Service{{Name: "backend", Tag: "20240725_4605cc6e", State: "rolled back", Reason: &r}}, 40)
	m.Changes = r.Log
	if warnings := Send(t.Context(), settings, m); len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
	if n := len(s.Messages()); n != 4 {
		t.Errorf("%d were told, want 4", n)
	}
	for _, told := range s.Messages() {
		if !strings.Contains(told.Text, about.Link) || !strings.HasSuffix(told.Text, cutShort) {
			t.Errorf("%s got no link, or does not know that it is cut: %q", told.Service, told.Text)
		}
	}
}

func TestSplit(t *testing.T) {
	for given, want := range map[string][]string{
		"":               nil,
		" \n,, ":         nil,
		"a://x b://y":    {"a://x", "b://y"},
		"a://x,b://y":    {"a://x", "b://y"},
		"a://x\nb://y":   {"a://x", "b://y"},
		"a://x,\nb://y,": {"a://x", "b://y"},
		"telegram://1:t@telegram?chats=@a,-100,slack://hook:A-B-C@webhook": {"telegram://1:t@telegram?chats=@a,-100", "slack://hook:A-B-C@webhook"},
		"slack://A,B,C generic+https://h/p":                                {"slack://A,B,C", "generic+https://h/p"},
		"a://x,generic+https://h/p,b://y":                                  {"a://x", "generic+https://h/p", "b://y"},
	} {
		var got []string
		for _, v := range Split(secret.New(given)) {
			got = append(got, v.Reveal())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", given, d)
		}
	}
	if shown := fmt.Sprint(Split(secret.New(telegramURL))); leaks(shown) != "" {
		t.Errorf("printed, it shows %s", shown)
	}
}

// TestWithout: services put addresses together anew, or name parts of them.
func TestWithout(t *testing.T) {
	for address, said := range map[string]string{
		slackURL:    `invalid hook T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx: Post "https://hooks.slack.com/services/x": EOF`,
		telegramURL: "invalid telegram token: " + telegramToken + " for chat -100777",
		discordURL:  "webhook 112233445566778899 with d1sc0rd-t0ken_ABCDEFG is unknown",
		"generic+https://u:hunter2@h/a?key=h00kt0ken%2F2": "key h00kt0ken/2 of u:hunter2 is refused",
	} {
		got := without(said, secret.New(address))
		if bad := leaks(strings.ReplaceAll(got, "-***", "")); bad != "" || !strings.Contains(got, "***") {
			t.Errorf("%q shows %q", got, bad)
		}
	}
}
