package memstore

import (
	"context"
	"fmt"
)

// Watch reports records that were deleted or retired, so managers that share the store learn at once what another one
// ended.
func (s *Store) Watch(ctx context.Context, tell func(id string)) error {
	stop := s.endings.add(func(id, _ string) { tell(id) })
	defer stop()
	tell("") // from here on nothing is missed
	<-ctx.Done()
	return fmt.Errorf("memstore: watch: %w", ctx.Err())
}
