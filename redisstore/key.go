package redisstore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/coatcheck/session"
)

// shards is how many groups the records form. The records of one lie in one slot of a cluster, together with what lists
// them, so that one script changes both. The number is part of the format: another one would find nothing.
const shards = 256

// noList stands in a record that is on no user's list.
const noList = "--------------------------------"

func shardOf(id string) int {
	var room [64]byte // for what a manager's ids need
	sum := sha256.Sum256(append(room[:0], id...))
	return int(sum[0])
}

// tags are the shards as keys have them. The text in braces decides the slot.
var tags = func() (t [shards]string) {
	for i := range t {
		t[i] = "{" + hex.EncodeToString([]byte{byte(i)}) + "}"
	}
	return t
}()

// A key begins with the prefix, and a letter for what it is. A prefix has no brace, so that one in an id, which comes
// last, means nothing.
func (s *Store) recordKey(id string) string { return s.recordIn(shardOf(id), id) }

func (s *Store) recordIn(shard int, id string) string { return s.prefix + "s" + tags[shard] + id }
func (s *Store) idsKey(shard int) string              { return s.prefix + "i" + tags[shard] }
func (s *Store) dueKey(shard int) string              { return s.prefix + "d" + tags[shard] }
func (s *Store) oldEndsKey(shard int) string          { return s.prefix + "e" + tags[shard] }

// keys are what belongs to a record in its slot: itself, the ids of its shard, and what is due there. A script that
// names a key that does not exist, as the old index no longer does, is refused for as long as its slot is being moved.
func (s *Store) keys(id string) []string {
	shard := shardOf(id)
	return []string{s.recordIn(shard, id), s.idsKey(shard), s.dueKey(shard)}
}

// listKey is the key of a user's list, by the name that records have it under.
func (s *Store) listKey(list string) string { return s.prefix + "u{" + list + "}" }

// listOf is the name of the list on which the record belongs. It is a hash, so that any bytes of a user will do and
// users do not stand in the names of keys; who is listed is judged by the record, not by the name.
func listOf(rec *session.Record) string {
	return string(appendList(make([]byte, 0, len(noList)), rec))
}

func appendList(b []byte, rec *session.Record) []byte {
	if rec.Kind != session.KindLive || rec.User == "" {
		return append(b, noList...)
	}
	return appendUserList(b, rec.User)
}

func userList(user string) string { return string(appendUserList(make([]byte, 0, len(noList)), user)) }

func appendUserList(b []byte, user string) []byte {
	sum := sha256.Sum256([]byte(user))
	return hex.AppendEncode(b, sum[:len(noList)/2])
}

// newToken names one entry of one list. It tells the entry from an earlier one of the same id.
func newToken() string {
	var b [tokenSize / 2]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program first
	return hex.EncodeToString(b[:])
}
