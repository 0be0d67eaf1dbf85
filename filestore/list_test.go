package filestore_test

import (
	"context"
	"slices"
	"testing"
)

// On tmpfs a file that is replaced while its folder is listed may be left out of the list, or be there twice. So
// whoever lists waits for whoever saves.
func TestAListWaitsForWhoeverSaves(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, record("id"))
	release := hold(t, s, "id")
	var ids []string
	wait := background(t, func(ctx context.Context) error {
		recs, err := s.Page(ctx, "", 10)
		ids = idsOf(recs)
		return err
	})
	release()
	wait()
	if !slices.Equal(ids, []string{"id"}) {
		t.Errorf("Page = %q, want the session", ids)
	}
}
