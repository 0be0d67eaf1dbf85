package sqlstore

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
)

// brief is the context of a statement that is over sooner than anybody could interrupt it. Until the driver has the
// statement it ends as its parent does, so that nobody waits for a connection beyond their time. From then on its end
// is no event to wait for: database/sql and most drivers start a goroutine each to do that, which takes longer than
// SQLite needs for a row, and which interrupts no wait for a lock. Err says at all times whether it is over.
//
// A context should always return the same Done. This one is seen by nobody but database/sql and the driver, and neither
// keeps what it returned before.
type brief struct {
	context.Context
	began atomic.Bool
}

// Done implements [context.Context].
func (b *brief) Done() <-chan struct{} {
	if b.began.Load() {
		return nil
	}
	return b.Context.Done()
}

// last is the last parameter of the statement. database/sql asks for its value once there is a connection, and then
// calls the driver.
type last struct {
	statement *brief
	arg       any
}

// Value implements [driver.Valuer].
func (l last) Value() (driver.Value, error) {
	l.statement.began.Store(true)
	return l.arg, nil
}

// once returns the context and the parameters of one attempt at a statement.
func (s *Store) once(ctx context.Context, op operation, args []any) (context.Context, []any) {
	if !s.dialect.brief || !op.OneRow() {
		return ctx, args
	}
	b := &brief{Context: ctx}
	rest := len(args) - 1
	return b, append(args[:rest:rest], last{b, args[rest]})
}
