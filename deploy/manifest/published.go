package manifest

import (
	"fmt"
	"strconv"
	"strings"
)

// PublishedPort reads the published port of a model, where it is a text and may be a range:
// 0 for none, and an error for a range of several, from which Swarm cannot choose.
func PublishedPort(text string) (uint32, error) {
	if text == "" {
		return 0, nil
	}
	from, to, isRange := strings.Cut(text, "-")
	n, err := strconv.ParseUint(from, 10, 16)
	if err == nil && isRange {
		var m uint64
		if m, err = strconv.ParseUint(to, 10, 16); err == nil && m != n {
			return 0, fmt.Errorf("%s is a range, and Swarm cannot choose a port from it", text)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no port between 0 and 65535", short(text))
	}
	return uint32(n), nil
}
