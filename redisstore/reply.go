package redisstore

import (
	"errors"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
)

var errEnlist = errors.New("put the record on its user's list first")

// What the script that replaces answers, if not with the record that is in the way, or the entry that is now void.
const (
	absent   = 0
	replaced = 1
	unlisted = 2
)

// swapped reads the reply of the script that replaces: where the record was listed and is no longer.
func swapped(id string, reply rueidis.RedisResult) (entry, error) {
	m, err := reply.ToMessage()
	if err != nil {
		return entry{}, err
	}
	switch {
	case m.IsArray():
		return entry{}, conflict(id, m)
	case m.IsString():
		text, _ := m.ToString()
		if was, ok := parseEntry(text); ok {
			return was, nil
		}
	}
	switch n, err := m.ToInt64(); {
	case err == nil && n == replaced:
		return entry{}, nil
	case err == nil && n == absent:
		return entry{}, session.ErrNotFound
	case err == nil && n == unlisted:
		return entry{}, errEnlist
	}
	return entry{}, errReply
}

// conflict reads the record that was in the way.
func conflict(id string, m rueidis.RedisMessage) error {
	newest, err := m.AsStrSlice()
	if err != nil || len(newest) != 1 {
		return errReply
	}
	rec, err := decode(id, []byte(newest[0]))
	if err != nil {
		return damaged(err)
	}
	return &session.ConflictError{Newest: rec}
}

var errReply = errors.New("a reply that no script of ours gives")

// parseEntry reads where a record was listed, if it was.
func parseEntry(text string) (entry, bool) {
	if len(text) != len(noList)+tokenSize || text[:len(noList)] == noList {
		return entry{}, false
	}
	return entry{text[:len(noList)], text[len(noList):]}, true
}
