package sqltable

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// Advice is what to do about an error that does not say so itself.
type Advice struct {
	When func(error) bool
	Text string
}

// AdviceReadOnly is what to do about a server that refuses to write.
const AdviceReadOnly = "the server takes no writes, as a replica or by a setting: give the store the primary, or " +
	"make it writable"

// AdviceOutdated is what to do about a table that lacks a column.
const AdviceOutdated = "an older release made the table: call Store.Migrate, or run coatcheck db migrate"

// Advise puts before an error what to do about it.
func Advise(list []Advice, err error) error {
	for _, a := range list {
		if a.When(err) {
			return fmt.Errorf("%s: %w", a.Text, err)
		}
	}
	return err
}

// Lost reports whether a connection that was there is lost, so that nobody knows what became of the statement. One that
// could not be made is an outage instead.
func Lost(err error) bool {
	for _, end := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op != "dial" && !op.Timeout()
}

// hasState knows the errors of PostgreSQL's drivers by their SQLSTATE, or the class that it begins with.
func hasState(err error, states ...string) bool {
	var coded interface{ SQLState() string }
	if !errors.As(err, &coded) {
		return false
	}
	for _, state := range states {
		if strings.HasPrefix(coded.SQLState(), state) {
			return true
		}
	}
	return false
}

// Retry tries until somebody else is no longer in the way, or the context ends.
func Retry(ctx context.Context, busy func(error) bool, try func() error) error {
	for longest := 2 * time.Millisecond; ; longest = min(2*longest, 50*time.Millisecond) {
		err := try()
		if err == nil || !busy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w while waiting: %w", ctx.Err(), err)
		case <-time.After(rand.N(longest)):
		}
	}
}
