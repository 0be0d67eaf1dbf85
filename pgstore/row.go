package pgstore

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/coatcheck/session"
)

// scan reads the columns of a listing into rec, and those behind them into more. Numbers go to types that pgx fills
// without reflection.
func scan(rows pgx.Rows, rec *session.Record, more ...any) error {
	var kind, version, created, seen, persistent int64
	var login, expires pgtype.Int8
	var ip string
	err := rows.Scan(append([]any{&rec.ID, &rec.User, &kind, &rec.Successor, &version, &created, &seen, &login,
		&expires, &ip, &rec.UserAgent, &persistent}, more...)...)
	if err != nil {
		return err
	}
	rec.Kind, rec.Version = session.RecordKind(kind), uint64(version)
	rec.CreatedAt, rec.SeenAt = micros(created), micros(seen)
	rec.LoginAt, rec.ExpiresAt = optional(login), optional(expires)
	// What is no address is read as none: it is for people to look at, and no reason to keep somebody from a session.
	rec.RemoteIP, _ = netip.ParseAddr(ip)
	rec.Persistent = persistent == 1
	for _, column := range []struct {
		name     string
		is, most int64
	}{{"kind", kind, int64(session.KindTombstone)}, {"version", version, math.MaxInt64},
		{"persistent", persistent, 1}} {
		if column.is < 0 || column.is > column.most {
			return fmt.Errorf("column %s: %w: %d is out of range", column.name, session.ErrCorrupt, column.is)
		}
	}
	return nil
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }

func optional(n pgtype.Int8) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return micros(n.Int64)
}
