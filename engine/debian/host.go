package debian

import (
	"maps"
	"os"
	"slices"
	"strings"
)

// debianArch maps GOARCH to Debian's name.
var debianArch = map[string]string{
	"386":     "i386",
	"amd64":   "amd64",
	"arm":     "armhf",
	"arm64":   "arm64",
	"loong64": "loong64",
	"ppc64le": "ppc64el",
	"riscv64": "riscv64",
	"s390x":   "s390x",
}

func knownArches() string {
	return strings.Join(slices.Sorted(maps.Keys(debianArch)), ", ")
}

const osRelease = "/etc/os-release"

// release is the codename of the running system ("bookworm"): a cache directory may be
// shared by containers of several releases, and one's programs need not run in another.
// It is "unknown" where the file does not say.
func release(file string) string {
	content, _ := os.ReadFile(file)
	for line := range strings.Lines(string(content)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME=")
		name = strings.Trim(name, `"'`)
		if ok && packageName.MatchString(name) {
			return name
		}
	}
	return "unknown"
}
