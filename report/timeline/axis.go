package timeline

import (
	"fmt"
	"time"
)

// Axis is the scale that all lanes have in common.
type Axis struct {
	Step  string // from tick to tick, in per cent of the whole
	Ticks []Tick
}

// Tick is a time on the axis, and where it is, in per cent.
type Tick struct{ Left, Text string }

// steps are the distances of ticks that are easily read.
var steps = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
	10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// most is how many ticks have room.
const most = 7

func axis(whole time.Duration) Axis {
	step := steps[len(steps)-1]
	for _, s := range steps {
		if whole <= most*s {
			step = s
			break
		}
	}
	a := Axis{Step: percent(step, max(whole, step))}
	for at := time.Duration(0); at <= whole; at += step {
		text := "0"
		if at > 0 {
			text = round(at)
		}
		a.Ticks = append(a.Ticks, Tick{percent(at, whole), text})
	}
	return a
}

// round is a time of the axis, which has no odd parts.
func round(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d%time.Minute != 0:
		return fmt.Sprintf("%d:%02d min", d/time.Minute, d%time.Minute/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d%time.Hour != 0:
		return fmt.Sprintf("%d:%02d h", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d h", d/time.Hour)
}

// took is a time for a person, with as much of it as matters.
func took(d time.Duration) string {
	switch {
	case d < 9500*time.Microsecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < 995*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < 59950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	if d < time.Hour {
		return fmt.Sprintf("%d:%02d min", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d:%02d:%02d h", d/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second)
}
