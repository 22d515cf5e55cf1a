package comment

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"

	"slipway/report/foreign"
)

// page is a comment in the making. How much of each long part it shows is bounded, so that
// what matters most fits; what was left out is counted.
type page struct {
	b        strings.Builder
	mask     foreign.Mask
	fold     int // bytes of a folded part
	rows     int // rows of a table, items of a list
	left     int // lines that were left out
	maxProse int // characters of a sentence
}

func (p *page) line(format string, a ...any) { fmt.Fprintf(&p.b, format+"\n", a...) }

var special = regexp.MustCompile("[\\\\`*_\\[\\]#|~$]")

// prose is foreign text as part of a sentence: nothing in it is Markdown, HTML or a mention.
func (p *page) prose(s string) string {
	s = foreign.Quiet(foreign.Short(p.mask, s, p.maxProse))
	s = special.ReplaceAllString(s, `\$0`)
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;").Replace(s)
}

// longest is the length of the longest run of backticks.
func longest(s string) int {
	n, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		n = max(n, run)
	}
	return n
}

// code is foreign text in a code span, "–" for none. A "|" is escaped: in a table GitHub and
// GitLab take it for the cell's end even within code.
func (p *page) code(s string) string {
	s = foreign.Short(p.mask, s, p.maxProse)
	if s == "" {
		return "–"
	}
	fence := strings.Repeat("`", longest(s)+1)
	if len(fence) > 1 || strings.HasPrefix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

func (p *page) cell(s string) string { return strings.ReplaceAll(p.code(s), "|", `\|`) }

// block is a fenced block of foreign lines. The fence is longer than any run of backticks in
// it. No line begins with "/": GitLab would take it for a quick action such as /close, where
// its search for code blocks goes wrong.
func (p *page) block(language string, lines []string) {
	text := strings.Join(lines, "\n")
	fence := strings.Repeat("`", max(3, longest(text)+1))
	p.line("%s%s", fence, language)
	for l := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(l, "/") {
			l = " " + l
		}
		p.line("%s", l)
	}
	p.line("%s", fence)
}

const maxLine = 500 // characters of a line in a folded part

// lines are foreign lines, masked while they are still together: a secret may span several.
// The last ones that fit are kept where last is set, otherwise the first.
func (p *page) lines(all []string, last bool) []string {
	near := foreign.First
	if last {
		near = foreign.Last
	}
	count := len(all)
	all = near(all, p.fold)
	p.left += count - len(all)
	text := strings.Trim(foreign.Plain(p.mask.Apply(strings.Join(all, "\n"))), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	from, to, size := 0, len(lines), 0
	for n := range lines {
		i := n
		if last {
			i = len(lines) - 1 - n
		}
		lines[i] = foreign.Cut(lines[i], maxLine)
		if size += len(lines[i]) + 1; size > p.fold {
			p.left += len(lines) - n
			if last {
				from = i + 1
			} else {
				to = i
			}
			break
		}
	}
	return lines[from:to]
}

// folded is a part that opens with a click; title is this package's own text.
func (p *page) folded(title, language string, all []string, last bool) {
	lines := p.lines(all, last)
	if len(lines) == 0 {
		return
	}
	p.line("<details><summary>%s</summary>\n", html.EscapeString(title))
	p.block(language, lines)
	p.line("\n</details>\n")
}

// list is a list of code spans, whole up to the page's bound.
func (p *page) list(items []string) {
	for i, item := range items {
		if i >= p.rows {
			p.left += len(items) - i
			break
		}
		p.line("- %s", p.code(item))
	}
	p.line("")
}

func (p *page) warnings(all []string) {
	for i, w := range all {
		if i >= p.rows {
			p.left += len(all) - i
			break
		}
		p.line("> **Warning:** %s\n", p.prose(w))
	}
}

// about is a comment's end.
func (p *page) about(a About) {
	if a.Reproduce != "" {
		p.line("To run it again on your machine:\n")
		p.block("sh", []string{foreign.Short(p.mask, a.Reproduce, 4*p.maxProse)})
		p.line("")
	}
	var parts []string
	if a.Commit != "" {
		parts = append(parts, "commit "+p.code(a.Commit[:min(len(a.Commit), 12)]))
	}
	if l := p.link("job", a.Link); l != "" {
		parts = append(parts, l)
	}
	if len(parts) > 0 {
		p.line("%s", strings.Join(parts, " · "))
	}
}

// link is a Markdown link to an address of the web, "" to anything else.
func (p *page) link(text, address string) string {
	u, err := url.Parse(p.mask.Apply(address))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	u.User = nil
	return fmt.Sprintf("[%s](<%s>)", text, strings.NewReplacer("<", "%3C", ">", "%3E").Replace(u.String()))
}

// fit writes a page, the more sparingly the less fits.
func fit(o Options, a About, write func(*page)) string {
	if o.Max <= 0 {
		o.Max = GitHubMax
	}
	o.Max -= 200 // the marker's lines
	var out string
	for _, bound := range [][3]int{{32 << 10, 1000, 1000}, {8 << 10, 300, 500}, {2 << 10, 100, 300}, {512, 30, 200}, {0, 10, 100}, {0, 3, 50}} {
		p := &page{mask: o.Mask, fold: bound[0], rows: bound[1], maxProse: bound[2]}
		write(p)
		if p.left > 0 {
			where := p.link("the job", a.Link)
			if where == "" {
				where = "the job's log"
			}
			p.line("\nA comment has room for so much only: %d more lines are in %s.", p.left, where)
		}
		if out = strings.TrimRight(p.b.String(), "\n") + "\n"; len(out) <= o.Max {
			return out
		}
	}
	const cut = "\n\nThe rest did not fit here, and is in the job's log.\n"
	return strings.ToValidUTF8(out[:max(o.Max-len(cut), 0)], "") + cut
}
