package redisstore

import (
	"cmp"
	"context"
	"strconv"
	"time"
)

// relist puts live sessions back on the lists of their users where those have lost them. In a cluster a list lies on
// another server than the record, and the replica that takes over from that one may not have heard of the last
// sign-ins. The lists are asked first, because a script takes the server longer. It returns the sessions of which it is
// not known whether they are listed now.
func (s *Store) relist(ctx context.Context, sessions []due) (unknown []due, err error) {
	var queries []command
	var listed []due
	for _, d := range sessions {
		if e, ok := parseEntry(d.entry); ok {
			queries = append(queries, query("HEXISTS", s.listKey(e.list), d.id))
			listed = append(listed, d)
		}
	}
	var lost []due
	for i, reply := range s.reads(ctx, queries...) {
		n, listErr := reply.AsInt64()
		if listErr != nil && !isWrongType(listErr) {
			err = cmp.Or(err, listErr)
			unknown = append(unknown, listed[i])
		}
		if listErr == nil && n == 0 {
			lost = append(lost, listed[i])
		}
	}
	if len(lost) > 0 {
		refused, listErr := s.putBack(ctx, lost)
		return append(unknown, refused...), cmp.Or(err, listErr)
	}
	return unknown, err
}

// putBack puts what is lost on its list, and takes it off again where the session has ended since it was seen: whoever
// ended it may have come to the list before. It returns those that it may not have put there.
func (s *Store) putBack(ctx context.Context, lost []due) (refused []due, err error) {
	var calls, looks []command
	for _, d := range lost {
		e, _ := parseEntry(d.entry)
		calls = append(calls, s.enlistNew(e, d.id))
		looks = append(looks, s.drop(d, ""))
	}
	for i, reply := range s.runs(ctx, calls...) {
		if listErr := reply.Error(); listErr != nil {
			err = cmp.Or(err, listErr)
			refused = append(refused, lost[i])
		}
	}
	var owed []due
	for i, reply := range s.runs(ctx, looks...) {
		if answer, _ := reply.ToString(); answer == "owed" { // else a sweep finds it owed
			owed = append(owed, lost[i])
		}
	}
	_, listErr := s.settle(ctx, owed)
	return refused, cmp.Or(err, listErr)
}

// keepDue has the next sweep meet sessions again that the index may have later by now, or nowhere. They come last of
// what is due, so that those that cannot be listed for long hold up no other. If one has ended, that sweep sees it.
func (s *Store) keepDue(ctx context.Context, sessions []due, before time.Time) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	var calls []command
	last := strconv.FormatInt(before.UnixMicro()-1, 10)
	for _, d := range sessions {
		calls = append(calls, query("ZADD", s.dueKey(shardOf(d.id)), last, d.entry+d.id))
	}
	for _, reply := range s.reads(ctx, calls...) { // to add it twice does no harm
		err = cmp.Or(err, reply.Error())
	}
	return err
}
