package pipeline

import "sync"

// memo keeps what has been read of a tree, which does not change while it is looked at:
// services share packages, module files and contexts, and each is read once for all.
type memo struct {
	mu       sync.Mutex
	links    map[string]link
	sums     map[string]fileSum
	packages map[string]packageRead
	modules  map[string]moduleRead
	parts    map[string]string
	settings map[string]settingsRead
}

type link struct {
	to string
	is bool
}

type fileSum struct {
	sum  []byte
	kind string
	err  error
}

type packageRead struct {
	pkg *packageFiles
	err error
}

type moduleRead struct {
	mod *module
	err error
}

type settingsRead struct {
	settings *Settings
	err      error
}

// remember gives what is kept under a key, reading it the first time. Two who ask at once
// may both read: they read the same.
func remember[V any](m *memo, kept *map[string]V, key string, read func() V) V {
	m.mu.Lock()
	v, ok := (*kept)[key]
	m.mu.Unlock()
	if ok {
		return v
	}
	v = read()
	m.mu.Lock()
	defer m.mu.Unlock()
	if *kept == nil {
		*kept = map[string]V{}
	}
	(*kept)[key] = v
	return v
}
