package manifest

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// Tmpfs is an entry of a service's tmpfs:.
type Tmpfs struct {
	Target   string
	Size     int64       // in bytes, 0 for the kernel's default
	Mode     fs.FileMode // 0 for the kernel's default
	ReadOnly bool
}

// ParseTmpfs reads "/path" or "/path:size=64m,mode=1777,ro" (docker run --tmpfs). Options that
// a Swarm mount cannot carry are an error.
func ParseTmpfs(text string) (Tmpfs, error) {
	target, options, _ := strings.Cut(text, ":")
	t := Tmpfs{Target: target}
	if !strings.HasPrefix(target, "/") {
		return t, fmt.Errorf("%q is no absolute path", target)
	}
	if options == "" {
		return t, nil
	}
	for _, o := range strings.Split(options, ",") {
		k, v, _ := strings.Cut(o, "=")
		var err error
		switch k {
		case "size":
			t.Size, err = units.RAMInBytes(v)
		case "mode":
			var m uint64
			m, err = strconv.ParseUint(v, 8, 12)
			t.Mode = fs.FileMode(m)
		case "ro":
			t.ReadOnly = true
		case "rw", "noexec", "nosuid", "nodev": // what a tmpfs of Docker has anyway
		default:
			return t, fmt.Errorf("swarm has no tmpfs option %q", k)
		}
		if err != nil || t.Size < 0 {
			return t, fmt.Errorf("%q is no %s of a tmpfs", v, k)
		}
	}
	return t, nil
}
