package ssh

// Pinned tells whether known_hosts text, or the file that it names, allows a host key for this
// server. Nothing is connected to.
func (o Options) Pinned() bool {
	known, err := parseKnownHosts(o.KnownHosts)
	return err == nil && len(known.algorithms(o)) > 0
}
