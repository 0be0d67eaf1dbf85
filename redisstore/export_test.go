package redisstore

import (
	"context"
	"time"

	"github.com/coatcheck/session"
)

// What tests and fuzzing look at, without a server.
var (
	DecodeHead = decodeHead
	Micros     = micros
	Expiry     = expiry
	UserList   = userList
	ListOf     = listOf
)

const (
	Never      = never
	HeadSize   = headSize
	ListedSize = listed
	Unheard    = unheard
)

// SharePatience is the context of a call of several trips.
var SharePatience = sharePatience

// Patience is for how long a trip of that call waits for a server that refuses it.
func Patience(call context.Context) time.Duration {
	waits := waiting(call)
	defer waits.End()
	end, _ := waits.Deadline()
	return end.Sub(now())
}

// Decode reads what Encode has written.
func Decode(id, value string) (*session.Record, error) { return decode(id, []byte(value)) }

// Encode writes a record with the version that it has, as it is stored.
func Encode(rec *session.Record) string {
	before := *rec
	before.Version--
	return string(appendBody([]byte(string(appendHead(nil, &before))+listOf(rec)+"0123456789abcdef"), rec))
}

// Told adds ids to what is to be told, and returns what is told then.
func Told(ids ...string) (told []string) {
	n := newNews()
	for _, id := range ids {
		n.add(id)
	}
	told, _ = n.next()
	return told
}

// IsAnothers reports whether an error is the end of a context other than this one.
func IsAnothers(ctx context.Context, err error) bool { return isAnothers(ctx, err) }
