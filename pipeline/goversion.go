package pipeline

import (
	"fmt"
	"go/version"
	"strings"

	"golang.org/x/mod/modfile"
)

// compareGo compares Go releases written without the "go" in front.
func compareGo(a, b string) int { return version.Compare("go"+a, "go"+b) }

// firstToolchain is the oldest Go release that has a patch number from the start
// ("1.21.0"), and the oldest that understands toolchain lines.
const firstToolchain = "1.21.0"

// goVersion is the Go release that builds the module, and nothing else names it: what
// go.work says where there is one, since the go command then reads no other; else go.mod.
func (c *closure) goVersion() (string, error) {
	if c.Work != nil {
		return goRelease(c.Work.File.Syntax.Name, c.Work.File.Go, c.Work.File.Toolchain)
	}
	return c.Main.goVersion()
}

func (m *module) goVersion() (string, error) {
	return goRelease(m.File.Syntax.Name, m.File.Go, m.File.Toolchain)
}

// goRelease is the newer one of a file's go line and its toolchain line ("Go Toolchains"
// in the Go documentation). A language version, "1.22", means its first release; before
// 1.21 the go line named no release, so the oldest one that can be had is taken.
func goRelease(name string, line *modfile.Go, toolchain *modfile.Toolchain) (string, error) {
	want := ""
	if toolchain != nil && toolchain.Name != "default" {
		v, ok := strings.CutPrefix(toolchain.Name, "go")
		if !ok || !version.IsValid(toolchain.Name) || strings.Contains(v, "-") {
			return "", fmt.Errorf("%s:%d: toolchain %q is no Go release: write it like go1.26.8", name, toolchain.Syntax.Start.Line, toolchain.Name)
		}
		want = v
	}
	if line == nil {
		if want == "" {
			return "", fmt.Errorf("%s: no go line says which Go builds it: run `go mod edit -go=1.26.0` there", name)
		}
		return want, nil
	}
	v := line.Version
	if strings.Count(v, ".") == 1 && !strings.Contains(v, "rc") && !strings.Contains(v, "beta") {
		v += ".0"
	}
	if compareGo(v, firstToolchain) < 0 {
		v = firstToolchain
	}
	if want != "" && compareGo(want, v) > 0 {
		return want, nil
	}
	return v, nil
}
