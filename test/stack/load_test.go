package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load asks the site for pages, versions and data at a steady pace, from several users at once,
// and keeps what came of it.
type load struct {
	site *site
	stop context.CancelFunc
	over sync.WaitGroup
	sent atomic.Int64

	mu     sync.Mutex
	seen   map[string][]string // versions of each service, in the order in which they were seen
	failed []string
}

// asked are the paths, and the service whose version each tells.
var asked = []struct{ path, service string }{
	{"/api/service/version", "backend"}, {"/version.json", "frontend"}, {"/", ""}, {"/api/notes", ""},
}

// pace is the time between two requests.
const pace = 8 * time.Millisecond

func underLoad(t *testing.T, s *site) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{site: s, stop: stop, seen: map[string][]string{}}
	turns := make(chan int)
	l.over.Go(func() {
		defer close(turns)
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				turns <- i
			}
		}
	})
	for range 8 {
		l.over.Go(func() {
			for i := range turns {
				l.request(context.WithoutCancel(ctx), i)
			}
		})
	}
	t.Cleanup(func() { l.end() })
	return l
}

func (l *load) request(ctx context.Context, i int) {
	q := asked[i%len(asked)]
	a, err := l.get(ctx, q.path)
	if err == nil && q.path == "/" { // a page is nothing without its script
		if script := scriptOf.FindStringSubmatch(a.text); script != nil {
			_, err = l.get(ctx, script[1])
		} else {
			err = fmt.Errorf("a page without a script: %s", a.text)
		}
	}
	var told struct{ Version string }
	if err == nil && q.service != "" {
		err = json.Unmarshal([]byte(a.text), &told)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.failed = append(l.failed, fmt.Sprintf("%s %s: %v", time.Now().Format(time.TimeOnly), q.path, err))
	case q.service != "":
		l.seen[q.service] = append(l.seen[q.service], told.Version)
	}
}

func (l *load) get(ctx context.Context, path string) (*answer, error) {
	a, err := l.site.ask(ctx, http.MethodGet, path, "")
	l.sent.Add(1)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, a.status, a.text)
	}
	return a, err
}

func (l *load) end() {
	l.stop()
	l.over.Wait()
}

// atLeast goes on until so many requests have been answered, ends, and wants none to have failed.
func (l *load) atLeast(t *testing.T, n int64) {
	t.Helper()
	deadline, tick := time.After(2*time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for l.sent.Load() < n {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("only %d requests were answered in time", l.sent.Load())
		}
	}
	l.end()
	t.Logf("%d requests, %d failed", l.sent.Load(), len(l.failed))
	if len(l.failed) > 0 {
		t.Errorf("%d of %d requests failed: %q", len(l.failed), l.sent.Load(), l.failed[:min(len(l.failed), 10)])
	}
}

// moved wants a service's versions to have gone from the old to the new one, with a time between
// in which both answered, and no other.
func (l *load) moved(t *testing.T, service, old, now string) {
	t.Helper()
	seen := l.seen[service]
	if old == now || len(seen) == 0 || seen[0] != old || seen[len(seen)-1] != now {
		t.Fatalf("%s was to go from %s to %s; of %d answers the first and the last were %q", service, old, now, len(seen), ends(seen))
	}
	first, last := slices.Index(seen, now), len(seen)-1
	for ; seen[last] != old; last-- {
		if seen[last] != now {
			t.Errorf("%s answered as %q", service, seen[last])
		}
	}
	mixed := map[string]int{}
	for _, v := range seen[min(first, last) : max(first, last)+1] {
		mixed[v]++
	}
	t.Logf("%s: %d times %s, then %v, then %d times %s", service, first, old, mixed, len(seen)-1-last, now)
	if first > last {
		t.Errorf("%s went from the old to the new version at once, as if all tasks were replaced together", service)
	}
	if len(mixed) > 2 {
		t.Errorf("%s answered as %v", service, mixed)
	}
}

// stayed wants one version of a service all the time.
func (l *load) stayed(t *testing.T, service, version string) {
	t.Helper()
	if seen := slices.Compact(slices.Clone(l.seen[service])); len(seen) != 1 || seen[0] != version {
		t.Errorf("%s was to stay %s, and answered as %q", service, version, seen)
	}
}

func ends(seen []string) []string {
	if len(seen) == 0 {
		return nil
	}
	return []string{seen[0], seen[len(seen)-1]}
}
