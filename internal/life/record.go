package life

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// Kind says what a record is. It is session.Kind.
type Kind uint8

// The kinds of record.
const (
	KindLive      Kind = iota // a session
	KindAlias                 // a renewed id, which leads to the session under its new id
	KindTombstone             // a retired id, which leads nowhere
)

// String returns "live", "alias" or "tombstone".
func (k Kind) String() string {
	switch k {
	case KindLive:
		return "live"
	case KindAlias:
		return "alias"
	case KindTombstone:
		return "tombstone"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Record is a session.Record, which documents its fields: a pointer to one is a pointer to the other, at no cost. The
// conversion compiles as long as the fields are the same.
type Record struct {
	ID         string
	User       string
	Kind       Kind
	Successor  string
	Version    uint64
	CreatedAt  time.Time
	SeenAt     time.Time
	LoginAt    time.Time
	ExpiresAt  time.Time
	RemoteIP   netip.Addr
	UserAgent  string
	Persistent bool
	Data       []byte `json:"-"`
}

// Predecessor is the id that a live record takes over from, "" when there is none: until the move is decided the two
// are one session.
func (r *Record) Predecessor() string {
	if r.Kind != KindLive {
		return ""
	}
	return r.Successor
}

// Clone returns a copy that shares nothing with r.
func (r *Record) Clone() *Record {
	c := *r
	c.Data = append([]byte(nil), r.Data...)
	return &c
}

// Format prints the record without its data, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "record %s (%s, version %d, %d bytes)", r.ID, r.Kind, r.Version, len(r.Data))
}

// LogValue logs the record without its data.
func (r Record) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", r.ID), slog.String("user", r.User), slog.String("kind", r.Kind.String()),
		slog.Uint64("version", r.Version), slog.Int("bytes", len(r.Data)))
}
