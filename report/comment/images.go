package comment

import (
	"strings"
)

// Markdown is the comment's text, without its marker.
func (im Images) Markdown(o Options) string {
	return fit(o, im.About, func(p *page) {
		switch {
		case len(im.Failures) > 0:
			p.line("### ❌ Images: %s failed\n", p.failed(im.Failures))
		case len(im.Images) == 0:
			p.line("### ✅ Checks\n")
		default:
			p.line("### ✅ Images\n")
		}
		p.images(im.Images)
		p.checked(im.Checked)
		for i, f := range im.Failures {
			if i >= p.rows {
				p.left += len(im.Failures) - i
				break
			}
			p.failure(f)
		}
		p.warnings(im.Warnings)
		p.about(im.About)
	})
}

// failed names the services of failures, each once.
func (p *page) failed(all []Failure) string {
	var names []string
	seen := map[string]bool{}
	for _, f := range all {
		if !seen[f.Service] && f.Service != "" && len(names) < p.rows {
			seen[f.Service] = true
			names = append(names, p.code(f.Service))
		}
	}
	if names == nil {
		return "the pipeline"
	}
	return strings.Join(names, ", ")
}

func (p *page) images(all []Image) {
	if len(all) == 0 {
		return
	}
	p.line("| service | tag | digest | |\n| --- | --- | --- | --- |")
	for i, im := range all {
		if i >= p.rows {
			p.left += len(all) - i
			break
		}
		done := "unchanged"
		if im.Built {
			done = "built"
		}
		p.line("| %s | %s | %s | %s |", p.cell(im.Service), p.cell(im.Tag), p.cell(short(im.Digest)), done)
	}
	p.line("")
}

// checked names the services that went well without an image.
func (p *page) checked(all []string) {
	if len(all) == 0 {
		return
	}
	shown := all[:min(len(all), p.rows)]
	p.left += len(all) - len(shown)
	var names []string
	for _, n := range shown {
		names = append(names, p.code(n))
	}
	p.line("Checked: %s\n", strings.Join(names, ", "))
}

// short is a digest with as many digits as tell it from others.
func short(digest string) string {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) <= 12 {
		return digest
	}
	return algorithm + ":" + hex[:12]
}

func (p *page) failure(f Failure) {
	what := p.code(f.Service)
	if f.Service == "" {
		what = "pipeline"
	}
	if f.Step != "" {
		what += ": " + p.prose(f.Step)
	}
	p.line("#### %s\n", what)
	if f.Reason != "" {
		p.line("%s\n", "Failed: "+p.prose(f.Reason))
	}
	if len(f.Tests) > 0 {
		p.line("Failed tests:\n")
		p.list(f.Tests)
	}
	if len(f.Findings) > 0 {
		p.line("Findings:\n")
		p.list(f.Findings)
	}
	p.folded("last lines", "text", f.Log, true)
}
