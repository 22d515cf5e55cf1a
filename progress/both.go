package progress

// both is a task that two reporters were told of.
type both [2]Task

// Both gives what it is told to two tasks.
func Both(a, b Task) Task { return both{a, b} }

// Log implements Task.
func (t both) Log(line string) {
	for _, one := range t {
		one.Log(line)
	}
}

// Amount implements Task.
func (t both) Amount(unit string, current, total int64) {
	for _, one := range t {
		one.Amount(unit, current, total)
	}
}

// Done implements Task.
func (t both) Done(err error) {
	for _, one := range t {
		one.Done(err)
	}
}
