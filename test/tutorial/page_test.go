package tutorial

import (
	"reflect"
	"testing"
)

func TestStepsOfAPage(t *testing.T) {
	got, err := steps("# A page\n\n```sh\na\nb <<'EOF'\n$ no prompt\nEOF\n```\ntext\n```console\n$ c\none …\n\n$ d\n$ echo $?\n3\n```\n")
	want := []step{
		{line: 4, command: "a\nb <<'EOF'\n$ no prompt\nEOF", several: true},
		{line: 11, command: "c", shows: []string{"one …", ""}},
		{line: 14, command: "d", fails: true},
		{line: 15, command: "echo $?", shows: []string{"3"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v (%v)\nwant %+v", got, err, want)
	}
	for _, bad := range []string{"```sh\na\n", "```console\noutput\n```\n", "```\na\n```\n", "```yaml\na: b\n```\n"} {
		if got, err := steps(bad); err == nil {
			t.Errorf("%q has the steps %+v", bad, got)
		}
	}
}

func TestMissingLines(t *testing.T) {
	const output = "loud\nhello   2026_1 sha256:9c49\n  why  it broke\ndone"
	for _, c := range []struct {
		shows []string
		want  string
	}{
		{[]string{"hello …_… sha256:…", "done"}, ""},
		{[]string{"why it broke", "done"}, ""},
		{[]string{"done", "loud"}, "loud"},
		{[]string{"hello"}, "hello"},
		{[]string{"hello … md5:…"}, "hello … md5:…"},
		{[]string{"done", "done"}, "done"},
	} {
		if got := missing(c.shows, output); got != c.want {
			t.Errorf("of %q, %q is missing, and should be %q", c.shows, got, c.want)
		}
	}
}
