package redisstore

import (
	"context"
	"time"

	"github.com/coatcheck/session"
)

// Remaining says how long the server will keep a record, according to PTTL. It is negative if the server keeps it for
// good, as it does if the session has no end, or if a dump was restored without the time. It is for tools that inspect
// a server; the error wraps session.ErrNotFound if there is no record.
func (s *Store) Remaining(ctx context.Context, id string) (time.Duration, error) {
	ms, err := s.read(ctx, query("PTTL", s.recordKey(id))).AsInt64()
	switch {
	case err != nil:
		return 0, explain("look at the time to live", err)
	case ms == -2:
		return 0, explain("look at the time to live", session.ErrNotFound)
	case ms < 0:
		return -1, nil
	}
	return time.Duration(ms) * time.Millisecond, nil
}
