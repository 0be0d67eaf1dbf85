package redisstore

import "github.com/coatcheck/session"

// What tests and fuzzing look at, without a server.
var (
	Decode     = decode
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
)

// Encode writes a record with the version that it has, as the save script puts it together.
func Encode(rec *session.Record) string {
	return format + decimal(rec.Version) + micros(rec.SeenAt) + expiry(rec.ExpiresAt) + listOf(rec) +
		"0123456789abcdef" + encodeBody(rec)
}
