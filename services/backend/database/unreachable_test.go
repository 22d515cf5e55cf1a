package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestUnreachable(t *testing.T) {
	for want, all := range map[bool][]error{
		true: {
			ErrNotReady,
			context.DeadlineExceeded,
			io.ErrUnexpectedEOF,
			&net.OpError{Op: "read", Err: syscall.ECONNRESET},
			&pgconn.PgError{Code: "57P01"}, // admin_shutdown
			&pgconn.PgError{Code: "53300"}, // too_many_connections
		},
		false: {
			errors.New("a mistake of ours"),
			context.Canceled,
			&pgconn.PgError{Code: "23514"}, // check_violation
			&pgconn.PgError{Code: "57014"}, // query_canceled
			&pgconn.PgError{Code: "42P01"}, // undefined_table
		},
	} {
		for _, err := range all {
			if got := Unreachable(fmt.Errorf("asking: %w", err)); got != want {
				t.Errorf("%v: %v", err, got)
			}
		}
	}
}
