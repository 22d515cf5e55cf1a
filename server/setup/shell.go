package setup

import (
	"path"
	"strings"
)

// quote makes one word of text for a POSIX shell.
func quote(text string) string {
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// plain are characters that mean only themselves.
const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:@%+,="

// words quotes each, with blanks between.
func words(all ...string) string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = quote(w)
	}
	return strings.Join(out, " ")
}

// holds looks whether a file has just this content.
func holds(file, content string) string {
	return "printf %s " + quote(content) + " | cmp -s - " + quote(file)
}

// write makes a file with this content, in one step, and its directory.
func write(file, mode, content string) string {
	next := quote(file + ".slipway-new")
	return "mkdir -p " + quote(path.Dir(file)) + " && printf %s " + quote(content) + " > " + next +
		" && chmod " + mode + " " + next + " && mv -f " + next + " " + quote(file)
}
