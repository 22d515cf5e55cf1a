package thread

import "strings"

// same compares as the services store: without the space at the ends, lines ended by \n.
func same(a, b string) bool { return normal(a) == normal(b) }

func normal(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
