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

// Encode writes a record with the version that it has, as it is stored.
func Encode(rec *session.Record) string {
	before := *rec
	before.Version--
	return string(appendBody([]byte(string(appendHead(nil, &before))+listOf(rec)+"0123456789abcdef"), rec))
}
