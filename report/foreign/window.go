package foreign

// slack is what is masked beyond what can be shown, in bytes: a secret that reaches over the
// edge of what is shown is still whole then.
const slack = 64 << 10

// Short is text on one line, masked, and then cut to n characters.
func Short(mask Mask, s string, n int) string {
	if most := 4*n + slack; len(s) > most {
		s = s[:most]
	}
	return Cut(Line(mask.Apply(s)), n)
}

// First are the lines of which size bytes can be shown, with slack, from the first on. There is
// always one.
func First(lines []string, size int) []string {
	for i, l := range lines {
		if size -= len(l) + 1; size < -slack && i > 0 {
			return lines[:i]
		}
	}
	return lines
}

// Last is as First, up to the last line.
func Last(lines []string, size int) []string {
	for i := len(lines) - 1; i >= 0; i-- {
		if size -= len(lines[i]) + 1; size < -slack && i < len(lines)-1 {
			return lines[i+1:]
		}
	}
	return lines
}
