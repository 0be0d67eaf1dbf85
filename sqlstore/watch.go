package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coatcheck/session"
)

// channel is where all tables of a database announce their sessions. A payload is the table, a space and the id.
const channel = "coatcheck_sessions"

// Watch implements [session.Watcher] with LISTEN, and takes one connection of the pool while it runs. Its error wraps
// [session.ErrNotSupported] if Options.Listen is nil, or if the pool has room for only one connection.
func (s *Store) Watch(ctx context.Context, tell func(id string)) error {
	if s.listen == nil {
		return fmt.Errorf("sqlstore: watch: %w: Options.Listen is not set", session.ErrNotSupported)
	}
	if s.db.Stats().MaxOpenConnections == 1 {
		return fmt.Errorf("sqlstore: watch: %w: it needs a connection beside the only one: see SetMaxOpenConns",
			session.ErrNotSupported)
	}
	err := s.listen(ctx, s.db, channel, func(payload string) {
		if id, ours := strings.CutPrefix(payload, s.table+" "); ours || payload == "" {
			tell(id)
		}
	})
	if err == nil {
		err = errors.New("the listener ended")
	}
	return fmt.Errorf("sqlstore: watch: %w", err)
}
