package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Timeout bounds each of the chats, all of them at once. It is below Alertmanager's own, which is
// its group_interval at most.
const Timeout = 10 * time.Second

// Chats are who hears of alerts. They count, for Prometheus, what was told and what was not.
type Chats struct {
	addresses []Address
	*prometheus.CounterVec
}

// NewChats tells these.
func NewChats(addresses []Address) *Chats {
	c := &Chats{addresses: addresses, CounterVec: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "alerts_notifications_total",
		Help: "Notifications to chats, by kind of chat and by what came of them.",
	}, []string{"kind", "result"})}
	for _, a := range addresses {
		for _, result := range []string{"told", "failed"} {
			c.WithLabelValues(a.String(), result) // 0, so that a first failure is an increase
		}
	}
	return c
}

// Tell sends lines, of which the first is the title, to all. It gives the errors, which name kinds
// of chats and never an address, and how many chats were told.
func (c *Chats) Tell(ctx context.Context, lines []string) (told int, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	results := make([]chan error, len(c.addresses))
	for i, a := range c.addresses {
		results[i] = make(chan error, 1) // so that one that comes too late is not stuck
		go func() { results[i] <- a.send(lines) }()
	}
	var errs []error
	for i, a := range c.addresses {
		var err error
		select {
		case err = <-results[i]:
		case <-ctx.Done():
			err = fmt.Errorf("it did not answer in %s", Timeout)
		}
		result := "told"
		if err == nil {
			told++
		} else {
			result = "failed"
			errs = append(errs, fmt.Errorf("%s (address %d of NOTIFY_URL) was not told: %s", a, i+1, a.hidden(err.Error())))
		}
		c.WithLabelValues(a.String(), result).Inc()
	}
	return told, errors.Join(errs...)
}
