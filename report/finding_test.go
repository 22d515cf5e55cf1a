package report

import (
	"strings"
	"testing"
)

func TestFindingsOfACompiler(t *testing.T) {
	const log = `go: downloading example.com/x v1.0.0
# example.com/shop/services/ping
services/ping/main.go:12:2: undefined: x
services/ping/main.go:14:9: too many return values
	have (number, string)
	want (int)
	nothing else
note: module requires Go 1.27
	indented, and of no error
vet: shared/a/a.go:3:1: unreachable code
/src/shared/b.go:7:1: syntax error: unexpected }
/usr/local/go/src/fmt/print.go:1:1: not ours
../outside.go:5: relative to where it ran
`
	const want = `work/services/ping/main.go:12: undefined: x
work/services/ping/main.go:14: too many return values
    have (number, string)
    want (int)
    nothing else
work/shared/a/a.go:3: unreachable code
shared/b.go:7: syntax error: unexpected }
outside.go:5: relative to where it ran`
	var got []string
	for _, f := range FromOutput(log, "work") {
		got = append(got, f.String())
	}
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// As golangci-lint v2 writes it, after the check has taken /src/ off.
func TestFindingsOfALinter(t *testing.T) {
	const data = `[
{"description":"errcheck: Error return value of ` + "`f.Close`" + ` is not checked","check_name":"errcheck","severity":"critical","fingerprint":"F1","location":{"path":"services/ping/main.go","lines":{"begin":22}}},
{"description":"printf: fmt.Sprintf format %d has arg of wrong type","check_name":"govet","severity":"critical","fingerprint":"F2","location":{"path":"/src/shared/a/a.go","lines":{"begin":5}}},
{"description":": # example.com/shop/services/ping\nservices/ping/main.go:4:2: undefined: x\nservices/ping/main.go:5:2: undefined: y","check_name":"typecheck","severity":"critical","fingerprint":"F3","location":{"path":"services/ping/main.go","lines":{"begin":1}}}
]`
	const want = "services/ping/main.go:22: Error return value of `f.Close` is not checked (errcheck)\n" +
		"shared/a/a.go:5: printf: fmt.Sprintf format %d has arg of wrong type (govet)\n" +
		"services/ping/main.go:4: undefined: x\nservices/ping/main.go:5: undefined: y"
	list, err := FromCodeClimate([]byte(data), ".")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range list {
		got = append(got, f.String())
	}
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if list, err := FromCodeClimate([]byte("[]"), "."); err != nil || len(list) != 0 {
		t.Errorf("no findings give %v, %v", list, err)
	}
	_, err = FromCodeClimate([]byte("[{"), ".")
	if want := "the lint report is damaged: unexpected end of JSON input"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestAFindingIsItsPlaceAndText(t *testing.T) {
	for want, f := range map[string]Finding{
		"text":         {Text: "text"},
		"a.go: text":   {File: "a.go", Text: "text"},
		"a.go:3: text": {File: "a.go", Line: 3, Text: "text"},
		"a.go:4: text": {File: "a.go", Line: 4, Text: "te\x1b]0;title\a\x1b[2J\bxt"}, // what a test writes
	} {
		if f.String() != want {
			t.Errorf("got %q, want %q", f.String(), want)
		}
	}
}
