package memstore

import (
	"time"

	"github.com/coatcheck/session"
)

// copied returns a copy of a record that is saved, for the store to keep.
func copied(rec *session.Record) *session.Record {
	c := *rec
	c.Data = append(make([]byte, 0, len(rec.Data)), rec.Data...)
	return &c
}

// advance makes a record what is kept of it: one version on, and without readings of the monotonic clock.
func advance(rec *session.Record) {
	rec.Version++
	rec.CreatedAt, rec.SeenAt = wall(rec.CreatedAt), wall(rec.SeenAt)
	rec.LoginAt, rec.ExpiresAt = wall(rec.LoginAt), wall(rec.ExpiresAt)
}

// wall drops the monotonic reading, which other stores lose as well. Times with and without one have no common order,
// and the queues need one.
func wall(t time.Time) time.Time { return t.Round(0) }

// roomy is a record together with room for the data of most sessions, so that a load allocates once.
type roomy struct {
	rec  session.Record
	room [280]byte
}

// clone returns a copy that shares nothing with rec.
func clone(rec *session.Record) *session.Record {
	if len(rec.Data) > len(roomy{}.room) {
		return rec.Clone()
	}
	c := &roomy{rec: *rec}
	n := copy(c.room[:], rec.Data)
	c.rec.Data = c.room[:n:n]
	return &c.rec
}

// listed returns a copy without data.
func listed(rec *session.Record) *session.Record {
	c := *rec
	c.Data = nil
	return &c
}
