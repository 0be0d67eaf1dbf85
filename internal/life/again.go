package life

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/data"
)

// errRestart says that the session is gone for which somebody signs in, and that what was read of it is not to be
// relied on: another request may have used it before it ended.
var errRestart = fmt.Errorf("%w: the session ended while somebody signed in", ErrConflict)

// restart begins a fresh session for a Login whose session is gone: signing in needs nothing of the old one.
func (d *Draft) restart(ctx context.Context, mode Mode, err error) error {
	if !errors.Is(err, ErrEnded) || !d.SignsIn() {
		return d.Lost(err)
	}
	if mode.Once {
		return errRestart
	}
	if err := d.fresh(); err != nil {
		return err
	}
	return d.create(ctx)
}

// fresh puts what this request did on a session that has nothing else.
func (d *Draft) fresh() error {
	d.at, d.oldBecomes, d.gone = Place{}, KindLive, false
	d.Doc.State = data.State{}
	return d.replay()
}

// Again puts the draft on the newest state, for a function that is to see what it changes. Of a session that is gone
// nothing is left to see. Then gone says that it went on under a new id, of which this client is not told, or that it
// ended after somebody had signed in, or while the function signed somebody in. If that was before, and another attempt
// has found out, the function sees the fresh session.
func (d *Draft) Again(ctx context.Context, conflict error) (gone, err error) {
	if !d.Stored() || d.leaving() != nil {
		return nil, nil
	}
	err = d.Newest(ctx, conflict)
	restarts := errors.Is(conflict, errRestart)
	switch {
	case !errors.Is(err, ErrEnded) || !restarts && !d.SignsIn() && !d.wentOn(err):
		return nil, err
	case restarts && d.SignsIn():
		d.dropNextID()
		return nil, d.fresh()
	}
	d.Doc.State = data.State{}
	_ = d.replay() // what cannot be repeated is refused by a Login, and dropped by a Logout
	return d.Lost(err), nil
}

// wentOn reports whether a session ended here for it went on under a new id.
func (d *Draft) wentOn(err error) bool {
	return errors.Is(err, ErrTombstone) && d.at.Rec.Successor != "" && d.by != anOperator
}
