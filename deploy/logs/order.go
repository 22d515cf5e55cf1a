package logs

import "slices"

// window is how many lines are held back to be put in order.
const window = 20_000

// order gives lines on in the order of their times, as far as they are not further apart than
// the window: the Swarm sends those of each task in one piece.
type order struct {
	held []Line
	emit func(Line)
}

func (o *order) add(l Line) {
	if o.held = append(o.held, l); len(o.held) >= 2*window {
		o.flush(window)
	}
}

func (o *order) flush(n int) {
	slices.SortStableFunc(o.held, func(a, b Line) int { return a.Time.Compare(b.Time) })
	for _, l := range o.held[:n] {
		o.emit(l)
	}
	o.held = slices.Delete(o.held, 0, n)
}

func (o *order) end() { o.flush(len(o.held)) }
