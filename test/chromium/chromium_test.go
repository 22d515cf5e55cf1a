package chromium

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestABrowserTellsWhatAPageAsksForAndComplainsOf(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<title>page</title><link rel=icon href="data:,"><img src="/missing.png"><p id=p></p>
<script>document.getElementById("p").textContent = "ran"; console.warn("x"); throw new Error("bad luck")</script>`))
	}))
	defer server.Close()
	b := Start(t)
	b.Look(800, 600, true)
	b.Open(server.URL + "/")
	if text := Get(b, chromedp.Text(chromedp.CSS("#p"))); text != "ran" {
		t.Errorf("the page's script left %q", text)
	}
	if !Evaluate[bool](b, `matchMedia("(prefers-color-scheme: dark)").matches && innerWidth === 800`) {
		t.Error("the page is not dark and 800 wide")
	}
	if got := strings.Join(b.Requests(), " "); got != server.URL+"/ "+server.URL+"/missing.png" {
		t.Errorf("requests: %s", got)
	}
	console := strings.Join(b.Console(), "\n")
	for _, want := range []string{"404", "console.warning", "bad luck"} {
		if !strings.Contains(console, want) {
			t.Errorf("the console lacks %q:\n%s", want, console)
		}
	}
	b.Scripts(false)
	b.Open("data:text/html,<p id=n>none</p><script>n.textContent=1</script>")
	if text := Get(b, chromedp.Text(chromedp.CSS("#n"))); text != "none" || len(b.Console()) > 0 {
		t.Errorf("without scripts: %q, console %v", text, b.Console())
	}
}
