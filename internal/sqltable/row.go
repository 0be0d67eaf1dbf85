package sqltable

import (
	"fmt"
	"hash/fnv"
	"math"
	"net/netip"
	"time"

	"github.com/coatcheck/session"
)

// Values returns the parameters that create and replace have in common: the columns of rec, but for the version, which
// the statements know.
func Values(rec *session.Record) []any {
	return []any{
		rec.User, int64(rec.Kind), due(rec.ExpiresAt), rec.Successor,
		rec.CreatedAt.UnixMicro(), rec.SeenAt.UnixMicro(), Optional(rec.LoginAt), Optional(rec.ExpiresAt),
		address(rec.RemoteIP), rec.UserAgent, flag(rec.Persistent), blob(rec.Data), rec.ID,
	}
}

// IsNew reports whether rec is the record of a new session that takes over from none, and that nobody has used since.
// Its id is random, but where a session of another library is taken over, or one is copied. What two requests of one
// session may make at the same time takes over, or is no session.
func IsNew(rec *session.Record) bool {
	return rec.Version == 0 && rec.Kind == session.KindLive && rec.Successor == "" &&
		rec.CreatedAt.UnixMicro() == rec.SeenAt.UnixMicro()
}

// Begun returns the parameters of Begin, which knows the rest.
func Begun(rec *session.Record) []any {
	return []any{
		rec.User, Optional(rec.ExpiresAt), rec.CreatedAt.UnixMicro(), Optional(rec.LoginAt),
		address(rec.RemoteIP), rec.UserAgent, flag(rec.Persistent), blob(rec.Data), rec.ID,
	}
}

// Optional is NULL for a zero time, which as a number would be an odd one to meet in a table.
func Optional(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// due is when a sweep has to look at a record with that end. The largest number is never.
func due(end time.Time) int64 {
	if end.IsZero() {
		return math.MaxInt64
	}
	return end.UnixMicro()
}

func address(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// blob is never nil, which drivers store as NULL.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// LockNumber is the number of the lock for a user's sessions in the table. That two users share one by chance does no
// harm.
func LockNumber(table, user string) int64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "coatcheck\x00%s\x00%s", table, user)
	return int64(h.Sum64() >> 1)
}
