package memstore

import (
	"time"

	"github.com/coatcheck/session"
)

// kept returns what the store keeps of a record that is saved: a copy, one version on. The text is the id and the data.
func kept(rec *session.Record) (c session.Record, text []byte) {
	c = *rec
	c.Version++
	c.CreatedAt, c.SeenAt = wall(c.CreatedAt), wall(c.SeenAt)
	c.LoginAt, c.ExpiresAt = wall(c.LoginAt), wall(c.ExpiresAt)
	text = make([]byte, len(rec.ID)+len(rec.Data))
	c.Data = text[copy(text, rec.ID):]
	copy(c.Data, rec.Data)
	return c, text
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
