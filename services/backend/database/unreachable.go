package database

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Unreachable tells whether err means that PostgreSQL cannot be asked now, and that the same
// request may succeed later; other errors are the request's or the program's own.
func Unreachable(err error) bool {
	if answered, ok := errors.AsType[*pgconn.PgError](err); ok {
		// https://www.postgresql.org/docs/current/errcodes-appendix.html
		for _, class := range []string{
			"08",  // connection exception
			"53",  // insufficient resources, such as too many connections
			"57P", // shutting down, or starting up
		} {
			if strings.HasPrefix(answered.Code, class) {
				return true
			}
		}
		// The server refused the log-in: the password or the database is not there (yet).
		_, connecting := errors.AsType[*pgconn.ConnectError](err)
		return connecting
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	return errors.Is(err, ErrNotReady) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.ErrUnexpectedEOF) || // the server went away in the middle
		pgconn.SafeToRetry(err)
}
