package chat

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestSplit(t *testing.T) {
	got := split("telegram://1:x@telegram?chats=1,2,slack://a@b\n discord://t@1 ,")
	if fmt.Sprint(got) != "[telegram slack discord]" || got[0].raw != "telegram://1:x@telegram?chats=1,2" {
		t.Errorf("got %v", got)
	}
	if s := fmt.Sprintf("%v %s %#v", Address{"secret-token"}, Address{"nope://secret-token"}, Address{"ntfy://secret-token"}); strings.Contains(s, "token") {
		t.Errorf("an address prints as %s", s)
	}
}

func TestFit(t *testing.T) {
	for name, lines := range map[string][]string{
		"many":  append([]string{"title"}, strings.Split(strings.Repeat("🔥 something is down\n", 200), "\n")...),
		"wide":  {strings.Repeat("🔥", 3000), "more"},
		"short": {"title", "line"},
	} {
		got := fit(lines)
		if n := len(utf16.Encode([]rune(strings.Join(got, "\n")))); n > room || !strings.HasPrefix(lines[0], got[0]) {
			t.Errorf("%s: %d units, first %.40q", name, n, got[0])
		}
		if cut := got[len(got)-1] == cutShort; cut != (name == "many") {
			t.Errorf("%s: ends with %q", name, got[len(got)-1])
		}
	}
}

// What a chat answers is said, and its address is not.
func TestRefusedByAChat(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no "+r.URL.Path, http.StatusForbidden) }))
	defer server.Close()
	address := Address{"generic://" + server.Listener.Addr().String() + "/hook-4605cc6e?disabletls=yes"}
	told, err := NewChats([]Address{address, {"logger://"}}).Tell(t.Context(), []string{"title"})
	if told != 1 || err == nil || !strings.Contains(err.Error(), "generic (address 1 of NOTIFY_URL) was not told") || strings.Contains(err.Error(), "4605cc6e") {
		t.Errorf("told %d, %v", told, err)
	}
}
