package database

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

var (
	up          = prometheus.NewDesc("db_up", "1 once PostgreSQL was reached and its schema is up to date.", nil, nil)
	connections = prometheus.NewDesc("db_pool_connections", "Connections to PostgreSQL, by what they do.", []string{"state"}, nil)
	most        = prometheus.NewDesc("db_pool_max_connections", "How many connections there may be.", nil, nil)
	acquired    = prometheus.NewDesc("db_pool_acquire_total", "How often a connection was taken.", nil, nil)
	waited      = prometheus.NewDesc("db_pool_wait_total", "How often there was no free connection to take at once.", nil, nil)
	canceled    = prometheus.NewDesc("db_pool_canceled_total", "How often somebody gave up waiting for a connection.", nil, nil)
	waiting     = prometheus.NewDesc("db_pool_acquire_seconds_total", "Time spent on taking connections.", nil, nil)
)

// PoolMetrics tell Prometheus of a connection's pool.
type PoolMetrics struct{ connection *Connection }

var _ prometheus.Collector = PoolMetrics{}

// NewPoolMetrics tells of c. While PostgreSQL was not reached yet, all is 0.
func NewPoolMetrics(c *Connection) PoolMetrics { return PoolMetrics{c} }

// Describe says what there is.
func (m PoolMetrics) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, out) }

// Collect says how it stands.
func (m PoolMetrics) Collect(out chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	ready, stat := 0.0, stats{}
	if pool, err := m.connection.Pool(); err == nil {
		ready, stat = 1, read(pool)
	}
	tell(up, prometheus.GaugeValue, ready)
	tell(connections, prometheus.GaugeValue, stat.used, "used")
	tell(connections, prometheus.GaugeValue, stat.idle, "idle")
	tell(connections, prometheus.GaugeValue, stat.opening, "opening")
	tell(most, prometheus.GaugeValue, stat.most)
	tell(acquired, prometheus.CounterValue, stat.acquired)
	tell(waited, prometheus.CounterValue, stat.waited)
	tell(canceled, prometheus.CounterValue, stat.canceled)
	tell(waiting, prometheus.CounterValue, stat.seconds)
}

type stats struct{ used, idle, opening, most, acquired, waited, canceled, seconds float64 }

func read(pool *pgxpool.Pool) stats {
	s := pool.Stat()
	return stats{
		used: float64(s.AcquiredConns()), idle: float64(s.IdleConns()), opening: float64(s.ConstructingConns()), most: float64(s.MaxConns()),
		acquired: float64(s.AcquireCount()), waited: float64(s.EmptyAcquireCount()), canceled: float64(s.CanceledAcquireCount()),
		seconds: s.AcquireDuration().Seconds(),
	}
}
