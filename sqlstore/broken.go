package sqlstore

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
)

// lost reports whether a connection that was there is lost, so that nobody knows what became of the statement. One that
// could not be made is an outage instead.
func lost(err error) bool {
	for _, end := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op != "dial" && !op.Timeout()
}
