// Package chromium opens pages in a real browser inside a test: Debian's Chromium, without a
// window, which keeps an account of what a page asks of the network and says on its console.
package chromium

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"slipway/test/aptget"
)

// limit bounds one thing that a test does in a browser.
const limit = time.Minute

// Browser is a running Chromium with one tab.
type Browser struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	requests []string
	console  []string
}

// Start runs a browser until the test ends. It has a profile of its own, which is empty, and
// talks to nobody by itself. flags are further ones of its command line.
func Start(t testing.TB, flags ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	aptget.Need(t, "chromium", "chromium")
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", true), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
	}, flags...)...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(tab) // waits for the browser's end, so that its profile can be removed
		cancel()
	})
	b := &Browser{t: t, ctx: tab}
	// The first use starts the browser, which lives as long as that use's context.
	if err := chromedp.Listen(tab, b.note); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return b
}

// note keeps what a page asks for and what it complains of.
func (b *Browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		b.console = append(b.console, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *runtime.EventConsoleAPICalled:
		b.console = append(b.console, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		b.console = append(b.console, "exception: "+text)
	}
}

// Open goes to an address, forgets what was noted of an earlier one, and waits until the page
// has loaded.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.mu.Lock()
	b.requests, b.console = nil, nil
	b.mu.Unlock()
	b.Do(chromedp.Navigate(url))
}

// Do runs actions in the tab; an error ends the test.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	Get(b, chromedp.Steps(actions...))
}

// Get runs an action that has a value.
func Get[T any](b *Browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
	return v
}

// Evaluate runs JavaScript of the test's own in the page.
func Evaluate[T any](b *Browser, script string) T {
	b.t.Helper()
	return Get(b, chromedp.Evaluate[T](script))
}

func call[P, R any](b *Browser, command cdp.Command[P, R], params P) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		b.t.Fatalf("telling the browser %s: %v", command.Method, err)
	}
}

// Look sets how the page is looked at: the window's size, and whether the person likes it dark.
func (b *Browser) Look(width, height int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.Do(chromedp.EmulateViewport(width, height))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// Scripts says whether pages may run scripts of their own.
func (b *Browser) Scripts(on bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// Screenshot is the whole page as a PNG.
func (b *Browser) Screenshot() []byte {
	b.t.Helper()
	return Get(b, chromedp.FullScreenshot(100))
}

// Requests are the addresses that the page has asked for since Open, its own first.
func (b *Browser) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Console is what the browser and the page have written since Open, warnings and errors too.
func (b *Browser) Console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.console)
}
