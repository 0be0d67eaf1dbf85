package life

import "cmp"

// What is adopted by a draft that others read and change meanwhile is of a copy, with which somebody waited for the
// store.

// Adopt takes over what a commit of the copy left, when it has caught up.
func (d *Draft) Adopt(w *Draft) {
	err := d.Refused()
	*d = *w
	d.forgetEvents()
	if err != nil {
		d.setRefused(err)
	}
}

// Inherit adds the data of another session, in whose place this one is put before anybody has seen it.
func (d *Draft) Inherit(from *Draft) { d.Doc.Inherit(d.rules(), &from.Doc) }

// AdoptFailure takes over what a commit of the copy that failed found out or cannot undo.
func (d *Draft) AdoptFailure(w *Draft) {
	d.DropTakenID(w)
	d.gone = w.gone
	d.setLeaving(w.leaving())
	d.setEndedBy(w.EndedBy())
	if w.gone || w.leaving() == nil && w.reply == ReplyForget {
		d.reply = w.reply
	}
}

// AdoptEnd is AdoptFailure for an attempt that began with base: it may have found that the session is gone, or ended
// it. The id that it took is dropped before, when it is over: somebody may have been told another one since.
func (d *Draft) AdoptEnd(base, w *Draft, err error) error {
	d.setEndedBy(cmp.Or(w.EndedBy(), base.EndedBy()))
	if base.reply != ReplyForget && w.reply == ReplyForget {
		d.gone = d.gone || d.leaving() == nil
		d.reply = ReplyForget
		d.setLeaving(nil)
		return err
	}
	return d.Lost(err)
}

// DropTakenID takes over from a copy that its id to come cannot be used any more: the record under it was removed.
func (d *Draft) DropTakenID(w *Draft) {
	if w.idTaken {
		d.dropNextID()
	}
}

// Forgive forgets an error that was refused before a user left, for it has to do with that user.
func (d *Draft) Forgive(before error) {
	if d.Refused() == before {
		d.setRefused(nil)
	}
}
