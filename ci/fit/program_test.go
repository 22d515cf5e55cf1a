package fit

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The module is handed all directories of slipway's own that its command is compiled of. One
// that is missing is noticed by nobody but the next who calls a function.
func TestTheModuleIsHandedWhatSlipwayIsCompiledOf(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./cmd/slipway")
	list.Dir = "../.."
	packages, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../main.go")
	if err != nil {
		t.Fatal(err)
	}
	ignore := regexp.MustCompile(`\+ignore=\["\*", .*\]`).FindString(string(source))
	handed := 0
	for line := range strings.Lines(string(packages)) {
		parts := strings.Split(strings.TrimSpace(line), "/")
		if parts[0] != "slipway" || len(parts) == 1 {
			continue
		}
		if !strings.Contains(ignore, `"!`+parts[1]+`"`) {
			t.Errorf("ci/main.go leaves %s out of the program's directory: add \"!%s\", and run `dagger develop`", parts[1], parts[1])
		}
		handed++
	}
	if handed < 20 {
		t.Errorf("only %d packages are slipway's own", handed)
	}
}
