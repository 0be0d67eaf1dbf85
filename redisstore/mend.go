package redisstore

import (
	"cmp"
	"context"
	"strings"
)

// What is known of lists that may have entries of sessions that are gone, of which no index has a trace.
const (
	unknownLoss = iota
	lossFound
	lossMended
)

// note hears what the script that drops has answered of an id in the old form of the index. One that outlived its
// record has lost the name of the list.
func (s *Store) note(answer string) {
	if answer == "stale" {
		s.loss.CompareAndSwap(unknownLoss, lossFound)
	}
}

// forgetOld removes what was due in the old form, and is in the new one or gone by now. What stays is met again.
func (s *Store) forgetOld(ctx context.Context, old []due) (forgotten int, err error) {
	var queries []command
	for _, d := range old {
		queries = append(queries, query("ZREM", s.oldEndsKey(shardOf(d.id)), d.id))
	}
	for _, reply := range s.reads(ctx, queries...) {
		if indexErr := reply.Error(); indexErr != nil {
			err = cmp.Or(err, indexErr)
			continue
		}
		forgotten++
	}
	return forgotten, err
}

// mendLists looks through the lists of all users, once, and only where something was lost. A user of the server who may
// not SCAN leaves that to those who list the sessions of a user.
func (s *Store) mendLists(ctx context.Context) error {
	if !s.loss.CompareAndSwap(lossFound, lossMended) {
		return nil
	}
	for _, node := range s.client.Nodes() {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			scan := node.B().Scan().Cursor(cursor).Match(s.anyList()).Count(1000).Build()
			page, err := node.Do(ctx, scan).AsScanEntry()
			if isForbidden(err) {
				return nil
			}
			if err == nil {
				err = s.mend(ctx, page.Elements)
			}
			if err != nil {
				s.loss.Store(lossFound)
				return err
			}
			cursor = page.Cursor
		}
	}
	return nil
}

// mend tidies the lists that have these keys.
func (s *Store) mend(ctx context.Context, keys []string) error {
	for _, key := range keys {
		list := strings.TrimSuffix(strings.TrimPrefix(key, s.prefix+"u{"), "}")
		if s.listKey(list) != key || len(list) != len(noList) {
			continue
		}
		l, err := s.listing(ctx, list)
		if err != nil {
			return err
		}
		l.tidy(ctx)
	}
	return nil
}

// anyList is the pattern of the keys of lists.
func (s *Store) anyList() string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(s.prefix) +
		"u{*"
}
