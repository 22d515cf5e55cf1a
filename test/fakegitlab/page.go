package fakegitlab

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// page answers with a part of a list (https://docs.gitlab.com/api/rest/#pagination): 20 a page
// unless asked otherwise, never more than 100.
func page(q *request, all []any) {
	query := q.r.URL.Query()
	if query.Get("pagination") == "keyset" {
		q.json(http.StatusMethodNotAllowed, map[string]string{"error": "Keyset pagination is not yet available for this type of request"})
		return
	}
	number := func(name string, def int) (int, bool) {
		if query.Get(name) == "" {
			return def, true
		}
		n, err := strconv.Atoi(query.Get(name))
		if err != nil || n < 1 {
			q.invalid(name + " does not have a valid value")
			return 0, false
		}
		return n, true
	}
	at, ok := number("page", 1)
	if !ok {
		return
	}
	per, ok := number("per_page", 20)
	if !ok {
		return
	}
	per = min(per, 100)
	pages := max((len(all)+per-1)/per, 1)
	h := q.w.Header()
	h.Set("X-Page", strconv.Itoa(at))
	h.Set("X-Per-Page", strconv.Itoa(per))
	h.Set("X-Total", strconv.Itoa(len(all)))
	h.Set("X-Total-Pages", strconv.Itoa(pages))
	h.Set("X-Next-Page", "")
	h.Set("X-Prev-Page", "")
	var links []string
	link := func(rel string, n int) {
		v := q.r.URL.Query()
		v.Set("page", strconv.Itoa(n))
		v.Set("per_page", strconv.Itoa(per))
		links = append(links, fmt.Sprintf(`<http://%s%s?%s>; rel="%s"`, q.r.Host, q.r.URL.EscapedPath(), v.Encode(), rel))
	}
	if at > 1 {
		h.Set("X-Prev-Page", strconv.Itoa(at-1))
		link("prev", at-1)
	}
	if at < pages {
		h.Set("X-Next-Page", strconv.Itoa(at+1))
		link("next", at+1)
	}
	link("first", 1)
	link("last", pages)
	h.Set("Link", strings.Join(links, ", "))
	from := min((at-1)*per, len(all))
	q.json(http.StatusOK, all[from:min(from+per, len(all))])
}
