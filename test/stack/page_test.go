package stack

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
	"slipway/test/chromium"
)

// page writes a note in the page, in a real browser: it is in PostgreSQL, and comes back from
// there. The versions shown are those that run.
func (b *bed) page(t *testing.T, c *certificate, prod *site) {
	spki := sha256.Sum256(c.parsed.RawSubjectPublicKeyInfo)
	browser := chromium.Start(t, chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(spki[:])))
	_, port, err := net.SplitHostPort(listen(t, b.docker, 443))
	must(t, err)
	url := "https://localhost:" + port + "/"
	browser.Open(url)
	browser.Do(
		chromedp.SendKeys(chromedp.CSS("#title"), "milk-and-bread"),
		chromedp.SendKeys(chromedp.CSS("#body"), "two of each"),
		chromedp.Click(chromedp.CSS("form button")),
	)
	note := func() string { return chromium.Get(browser, chromedp.Text(chromedp.CSS("ul li h2"))) }
	if got := note(); got != "milk-and-bread" {
		t.Errorf("after writing a note the page shows %q", got)
	}
	if got := b.query(t, "select title || '|' || body from notes"); got != "milk-and-bread|two of each" {
		t.Errorf("PostgreSQL has %q", got)
	}
	if got := prod.titles(t); got != "milk-and-bread" {
		t.Errorf("the backend has the notes %q", got)
	}
	browser.Open(url)
	if got := note(); got != "milk-and-bread" {
		t.Errorf("a page opened anew shows %q", got)
	}
	for service, tag := range b.tag {
		if got := chromium.Get(browser, chromedp.Text(chromedp.Search(`//dd[@id="version-`+service+`" and contains(., "_")]`))); got != tag {
			t.Errorf("the page says that %s is %s, and it is %s", service, got, tag)
		}
	}
	if said := browser.Console(); len(said) > 0 {
		t.Errorf("the browser complains: %q", said)
	}
	for _, asked := range browser.Requests() {
		if !strings.HasPrefix(asked, url) && !strings.HasPrefix(asked, "data:") {
			t.Errorf("the page asks for %s", asked)
		}
	}
}

// query asks the database itself, in its container.
func (b *bed) query(t *testing.T, sql string) string {
	t.Helper()
	s, err := live.Read(t.Context(), b.docker.Client)
	must(t, err)
	service := s.Service("project_prod_postgres")
	for _, x := range s.Tasks {
		if service != nil && x.ServiceID == service.ID && x.Status.State == swarm.TaskStateRunning {
			return strings.TrimSpace(b.docker.Exec(t, x.Status.ContainerStatus.ContainerID, "psql", "-U", "project-prod", "-d", "PROJECT", "-tAc", sql))
		}
	}
	t.Fatal("PostgreSQL does not run")
	return ""
}
