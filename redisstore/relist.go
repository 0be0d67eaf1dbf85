package redisstore

import "context"

// relist puts live sessions back on the lists of their users where those have lost them. In a cluster a list lies on
// another server than the record, and the replica that takes over from that one may not have heard of the last
// sign-ins. The lists are asked first, because a script takes the server longer.
func (s *Store) relist(ctx context.Context, sessions []due) error {
	var queries []command
	var listed []due
	for _, d := range sessions {
		if e, ok := parseEntry(d.entry); ok {
			queries = append(queries, query("HEXISTS", s.listKey(e.list), d.id))
			listed = append(listed, d)
		}
	}
	var lost []due
	var err error
	for i, reply := range s.reads(ctx, queries...) {
		n, listErr := reply.AsInt64()
		if listErr != nil && !isWrongType(listErr) {
			err = listErr
		}
		if listErr == nil && n == 0 {
			lost = append(lost, listed[i])
		}
	}
	if len(lost) > 0 {
		err = s.putBack(ctx, lost)
	}
	return err
}

// putBack puts what is lost on its list, and takes it off again where the session has ended since it was seen: whoever
// ended it may have come to the list before.
func (s *Store) putBack(ctx context.Context, lost []due) (err error) {
	var calls, looks []command
	for _, d := range lost {
		e, _ := parseEntry(d.entry)
		calls = append(calls, s.enlistNew(e, d.id))
		looks = append(looks, s.drop(d, ""))
	}
	for _, reply := range s.runs(ctx, calls...) {
		if listErr := reply.Error(); listErr != nil {
			err = listErr
		}
	}
	var owed []due
	for i, reply := range s.runs(ctx, looks...) {
		if answer, _ := reply.ToString(); answer == "owed" { // else a sweep finds it owed
			owed = append(owed, lost[i])
		}
	}
	if _, listErr := s.settle(ctx, owed); listErr != nil {
		err = listErr
	}
	return err
}
