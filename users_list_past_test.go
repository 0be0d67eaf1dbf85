package session_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/coatcheck/session"
)

// dented lists what it can read of its first page, and says that this was not all.
type dented struct{ fullStore }

var errDent = errors.New("a folder cannot be read")

func (d dented) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	page, err := d.fullStore.Page(ctx, after, limit)
	if after == "" {
		err = errDent
	}
	return page, err
}

func TestAllGoesPastWhatCannotBeReadAndSaysSo(t *testing.T) {
	const sessions = 450
	r := newRig(t)
	r.store.fullStore = dented{r.store.fullStore}
	for i := range sessions {
		r.visitor().with(func(s *session.Session) { s.Login("user" + strconv.Itoa(i)) })
	}
	listed, failed := 0, error(nil)
	for _, err := range r.All(t.Context()) {
		if failed != nil {
			t.Fatal("the walk went on after its error")
		}
		if failed = err; err == nil {
			listed++
		}
	}
	if listed != sessions || !errors.Is(failed, errDent) || !errors.Is(failed, session.ErrUnavailable) {
		t.Errorf("%d sessions and %v, want %d and what could not be read at the end", listed, failed, sessions)
	}
}
