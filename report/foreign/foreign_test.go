package foreign

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"slipway/secret"
)

func TestMaskHidesEveryForm(t *testing.T) {
	const key = "-----BEGIN KEY-----\nc2VjcmV0LWxpbmUtb25l\nc2VjcmV0LWxpbmUtdHdv\n-----END KEY-----\n"
	m := NewMask(secret.New(`p/w "ä"+1`), secret.New(key), secret.New("abcdef"), secret.New("defghi"), secret.New("x"), secret.New(""))
	for _, given := range []string{
		`password p/w "ä"+1 is wrong`,
		"at https://u:" + url.QueryEscape(`p/w "ä"+1`) + "@h",
		"at https://u:" + url.PathEscape(`p/w "ä"+1`) + "@h",
		`{"p":"p/w \"ä\"+1"}`,
		"Basic " + base64.StdEncoding.EncodeToString([]byte(`p/w "ä"+1`)),
		"  c2VjcmV0LWxpbmUtdHdv",
		key,
	} {
		got := m.Apply(given)
		for _, leak := range []string{"p/w", "p%2Fw", base64.StdEncoding.EncodeToString([]byte(`p/w "ä"+1`)), "c2Vjcm"} {
			if strings.Contains(got, leak) {
				t.Errorf("%q became %q: %q is still there", given, got, leak)
			}
		}
	}
	for given, want := range map[string]string{
		"<abcdefghi>":   "<***>",
		"abcdef abcdef": "*** ***",
		"abcdefdefghi.": "***.",
		"box":           "box",
		"nothing":       "nothing",
	} {
		if got := m.Apply(given); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
	if got := (Mask{}).Apply("abcdef"); got != "abcdef" {
		t.Errorf("a mask of nothing made %q", got)
	}
}

func TestPlain(t *testing.T) {
	for given, want := range map[string]string{
		"\x1b[31mred\x1b[0m":               "red",
		"\x1b]8;;http://x\x07link\x1b]8;;": "link",
		"10%\r50%\r100%\nnext\r\n":         "100%\nnext\n",
		"a\x00b\x07\tc":                    "ab\tc",
		"evil\u202egnp.exe":                "evilgnp.exe",
		"bad\xff":                          "bad\uFFFD",
	} {
		if got := Plain(given); got != want {
			t.Errorf("Plain(%q) = %q, want %q", given, got, want)
		}
	}
	if got := Line("  two\n lines\x1b[0m "); got != "two lines" {
		t.Errorf("Line gave %q", got)
	}
}

func TestQuiet(t *testing.T) {
	for given, want := range map[string]string{
		"by @alice and @all":     "by @\u200balice and @\u200ball",
		"fixes #12, !34, GH-5":   "fixes #\u200b12, !\u200b34, GH-\u200b5",
		`~bug ~"two words" %1.0`: "~\u200bbug ~\u200b\"two words\" %\u200b1.0",
		"<@alice> a@b.c":         "<@\u200balice> a@\u200bb.c",
		"50 % done, a & b, # 1":  "50 % done, a & b, # 1",
	} {
		if got := Quiet(given); got != want {
			t.Errorf("Quiet(%q) = %q, want %q", given, got, want)
		}
	}
}

// TestWindow: what is far away from what can be shown is not even looked at, and a secret at the
// edge is hidden whole.
func TestWindow(t *testing.T) {
	lines := []string{"first"}
	for range 3000 {
		lines = append(lines, strings.Repeat("x", 99))
	}
	lines = append(lines, "last")
	for name, got := range map[string][]string{"First": First(lines, 1000), "Last": Last(lines, 1000)} {
		if n := len(strings.Join(got, "\n")); n < slack || n > slack+1200 {
			t.Errorf("%s kept %d bytes", name, n)
		}
	}
	if got := First(lines, 1000); got[0] != "first" {
		t.Errorf("First begins with %q", got[0])
	}
	if got := Last(lines, 1000); got[len(got)-1] != "last" {
		t.Errorf("Last ends with %q", got[len(got)-1])
	}
	huge := []string{strings.Repeat("y", 2*slack)}
	if len(First(huge, 0)) != 1 || len(Last(huge, 0)) != 1 || First(nil, 5) != nil || Last(nil, 5) != nil {
		t.Error("one line, or none, is not kept as it is")
	}
	m := NewMask(secret.New("hunter2-hunter2"))
	for n := range 30 {
		if got := Short(m, strings.Repeat("a", 20)+" hunter2-hunter2 b", n); strings.Contains(got, "hunter") {
			t.Errorf("cut to %d, a part of the secret shows: %q", n, got)
		}
	}
}
