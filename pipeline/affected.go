package pipeline

// Affected are the services whose inputs the changes touch, each with what touches it.
// Nothing is read but what the changes name, so that one git process serves all services.
func Affected(inputs map[string]*Inputs, changes []Change, blobs Blobs) map[string][]Cause {
	v, out := &versions{blobs: blobs}, map[string][]Cause{}
	if len(changes) == 0 {
		return out
	}
	for _, name := range sortedKeys(inputs) {
		if causes := v.causes(inputs[name], nil, changes, true); len(causes) > 0 {
			out[name] = causes
		}
	}
	return out
}
