package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// Watch implements [session.Watcher] with LISTEN, and takes one connection of the pool while it runs. Its error wraps
// [session.ErrNotSupported] if Options.Listen is nil, or if SetMaxOpenConns allows only one connection.
func (s *Store) Watch(ctx context.Context, tell func(id string)) error {
	if s.listen == nil {
		return fmt.Errorf("sqlstore: watch: %w: Options.Listen is not set", session.ErrNotSupported)
	}
	if s.db.Stats().MaxOpenConnections == 1 {
		return fmt.Errorf("sqlstore: watch: %w: it needs a connection beside the only one: see SetMaxOpenConns",
			session.ErrNotSupported)
	}
	err := s.listen(ctx, s.db, sqltable.Channel, sqltable.Told(s.table, tell))
	if err == nil {
		err = errors.New("the listener ended")
	}
	return fmt.Errorf("sqlstore: watch: %w", err)
}
