package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// everySession is the id under which a carrier remembers that all sessions of a user were ended. It is no id of a
// session.
func everySession(user string) string {
	sum := sha256.Sum256([]byte("coatcheck v1 every session of " + user))
	return hex.EncodeToString(sum[:])
}

// isID reports whether a text has the form of a ticket's id.
func isID(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == sha256.Size && text == strings.ToLower(text)
}

func (c carried) canRevoke() error {
	if !c.remembers {
		return fmt.Errorf("%w: %s cannot end a session that is with the client; give it a store for revocations",
			ErrNotSupported, c.storeType)
	}
	return nil
}

// revoke retires ids, for ever: nobody knows when the last copy of their sessions ends.
func (c carried) revoke(ctx context.Context, _ string, ids []string) (n int, err error) {
	if err := c.canRevoke(); err != nil {
		return 0, err
	}
	for _, id := range slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isID(id) }) {
		ended, err := c.end(ctx, &Record{ID: id}, nil, anybody)
		for _, rec := range ended {
			c.tell(ctx, Event{Kind: EventEnded, ID: rec.ID})
		}
		n += len(ended)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// revokeUser remembers that what began before now is over, but for the sessions to keep. How many that ends, nobody
// knows.
func (c carried) revokeUser(ctx context.Context, user string, keep []string) (int, error) {
	if err := c.canRevoke(); err != nil {
		return 0, err
	}
	if err := checkUser(user); err != nil {
		return 0, err
	}
	keep = slices.DeleteFunc(slices.Clone(keep), func(id string) bool { return !isID(id) })
	rec := &Record{ID: everySession(user), Kind: KindTombstone, SeenAt: c.now(), Data: []byte(strings.Join(keep, " "))}
	for attempt := 0; ; attempt++ {
		old, err := c.load(ctx, rec.ID)
		switch {
		case err == nil:
			rec.Version, rec.SeenAt = old.Version, laterOf(old.SeenAt, rec.SeenAt)
		case !errors.Is(err, ErrNotFound):
			return 0, err
		}
		err = c.store.Save(ctx, rec)
		switch {
		case err == nil:
			c.askAll()
			c.tell(ctx, Event{Kind: EventEnded, User: user})
			return 0, nil
		case !errors.Is(err, ErrConflict) || attempt > 0 && pause(ctx, attempt) != nil:
			return 0, unavailable(err)
		}
	}
}
