package baseimage

import "context"

// Apt is how other fixtures are made of the same packages: this machine's Debian release, lines
// for a sources.list, and apt's own settings for reaching them.
func Apt(ctx context.Context) (release string, lines, options []string, err error) {
	if release, err = suite(); err != nil {
		return "", nil, nil, err
	}
	if lines, err = sources(ctx, release); err != nil {
		return "", nil, nil, err
	}
	options, err = proxies(ctx)
	return release, lines, options, err
}
