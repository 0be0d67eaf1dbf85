package guard

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/beside"
)

// takeUser admits a request by compare-and-set of a record of its own.
func (l *rule) takeUser(ctx context.Context, user string, now func() time.Time) (verdict, error) {
	var v verdict
	err := l.users.change(ctx, countID(l.name, user), func(rec *session.Record) *session.Record {
		at := now()
		if v = l.judge(countOf(rec), at); !v.ok {
			return nil
		}
		return counted(rec, at, v.full, binary.BigEndian.AppendUint64(nil, uint64(v.full)))
	})
	if err != nil { // the function may still run
		return verdict{}, err
	}
	return v, nil
}

func countOf(rec *session.Record) int64 {
	if len(rec.Data) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(rec.Data))
}

// counted is the record to be stored, which is swept when the quota is whole again.
func counted(old *session.Record, now time.Time, full int64, data []byte) *session.Record {
	return beside.Next(old, now, time.UnixMicro(full).UTC(), data)
}
