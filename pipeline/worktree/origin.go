package worktree

import (
	"net/url"
	"sort"
	"strings"
)

// SourceURL turns a remote's address into the one that people open: https, without
// credentials and ".git", equal for the https and the ssh form. A path on a disk has
// none, or two clones of one commit would be labelled differently.
func SourceURL(remote string) string {
	if host, p, ok := strings.Cut(remote, ":"); ok && !strings.Contains(remote, "://") && !strings.ContainsAny(host, `/\`) && len(host) > 1 {
		remote = "ssh://" + host + "/" + strings.TrimPrefix(p, "/") // scp-like: git@host:path
	}
	u, err := url.Parse(remote)
	if err != nil || u.Hostname() == "" || u.Scheme == "file" {
		return ""
	}
	return "https://" + u.Hostname() + "/" + strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
}

func sorted(s []string) []string {
	sort.Strings(s)
	return s
}
