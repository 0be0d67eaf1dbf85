package life

import (
	"context"
	"errors"
	"strings"

	"github.com/coatcheck/session/internal/data"
)

// Regenerate gives the session a new id at the next commit, and makes the old one useless.
func (d *Draft) Regenerate() {
	if d.at.Rec != nil && !d.gone {
		d.oldBecomes = KindTombstone
	}
	d.dropNextID()
}

// SignIn binds the session to a user, with a new id. It reports whether the session goes on, and is not a new one
// because another user leaves. That one's session ends even if it is gone here, for it may have gone on under a new id.
// Afterwards Err is what was refused here, and nothing earlier.
func (d *Draft) SignIn(user string) (kept bool) {
	d.setRefused(nil)
	kept = d.User() == "" || d.User() == user
	switch {
	case !kept:
		d.spareShut()
		d.Leave(ReasonReplaced)
		d.gone = false
	case d.gone:
		d.replaceShut(user)
		d.beginAfresh()
	case d.at.Rec != nil:
		d.oldBecomes = KindTombstone
	}
	d.dropNextID()
	user = strings.Clone(user) // it stays longer than what a framework lends to one request
	d.user, d.signing = &user, d.signing|signsIn
	d.Do(data.Op{Kind: data.OpLogin, At: d.k.Now().UnixMicro()})
	return kept
}

// replaceShut ends the session that this request may not have, if it is the user's: it is of no use to them, and would
// count as one of theirs.
func (d *Draft) replaceShut(user string) {
	if d.at.Rec != nil && d.at.Rec.ID == d.rest().shut && d.at.Rec.User == user {
		d.setLeaving(&departure{d.at, ReasonReplaced, d.signing, true, true})
	}
}

// spareShut takes replaceShut back, for somebody else signs in.
func (d *Draft) spareShut() {
	if l := d.leaving(); l != nil && l.gives {
		d.setLeaving(nil)
	}
}

// beginAfresh puts what this request set into a new session.
func (d *Draft) beginAfresh() {
	ops, shadows := d.Doc.Ops, d.Doc.Shadows
	d.at, d.gone, d.Doc = Place{}, false, data.Doc{}
	for _, o := range ops {
		d.Do(o)
	}
	d.Doc.Shadows = shadows
}

// Leave ends the stored session at the next commit and begins a new one.
func (d *Draft) Leave(why Reason) {
	if d.at.Rec != nil {
		d.setLeaving(&departure{d.at, why, d.signing, d.gone, false})
	} else if l := d.leaving(); l != nil && l.gives { // nobody signs in there after all
		d.setLeaving(&departure{l.Place, why, l.signing, l.gone, false})
	}
	d.reset()
}

// reset begins a new session: what was set before does not belong to it.
func (d *Draft) reset() {
	*d = Draft{
		k: d.k, visit: d.visit, discard: d.discard, gone: d.gone,
		reply: d.reply, seldom: d.seldom,
	}
	d.setRefused(nil)
}

// Shut leaves nothing of the session but the record that Leave ends.
func (d *Draft) Shut(why Reason) {
	*d = Draft{k: d.k, visit: d.visit, gone: true, at: Place{Rec: d.at.Rec}}
	if d.at.Rec != nil {
		d.change(func(s *seldom) { s.shut = d.at.Rec.ID })
	}
	d.setEndedBy(why)
}

// Discard makes the draft one that is never stored.
func (d *Draft) Discard() { d.discard = true }

// Reload drops what is not stored, and loads the newest state. When the session is gone nothing of it is left.
func (d *Draft) Reload(ctx context.Context) error {
	d.Doc.Ops, d.Doc.Shadows, d.oldBecomes = nil, nil, KindLive
	d.setRefused(nil)
	d.dropNextID()
	if l := d.leaving(); l != nil {
		d.at, d.signing, d.gone = l.Place, l.signing, d.gone || l.gone
		d.setLeaving(nil)
	}
	d.signing &^= waiting
	err := d.reload(ctx)
	if errors.Is(err, ErrEnded) {
		d.becomeGone()
	}
	return err
}

func (d *Draft) reload(ctx context.Context) error {
	switch {
	case d.gone:
		return ErrEnded
	case d.at.Rec == nil:
		d.Doc.State, d.user = data.State{}, nil
		return nil
	}
	return d.Newest(ctx, nil)
}

// becomeGone leaves nothing of a session that is gone, but for the record that may lead Leave to its successor.
func (d *Draft) becomeGone() {
	rec := d.at.Rec
	d.reset()
	d.at.Rec, d.gone, d.reply = rec, true, ReplyNothing
}
