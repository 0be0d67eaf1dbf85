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

func (k *keeper) canRevoke() error {
	if k.carried != nil && !k.carried.remembers {
		return fmt.Errorf("%w: %s cannot end a session that is with the client; give it a store for revocations",
			ErrNotSupported, k.storeType)
	}
	return nil
}

// recordOf is the record of an id. Of a carried session that was not retired nothing is known but the id.
func (k *keeper) recordOf(ctx context.Context, id string) (*Record, error) {
	rec, err := k.load(ctx, id)
	if k.carried != nil && errors.Is(err, ErrNotFound) {
		return &Record{ID: id}, nil
	}
	return rec, err
}

// revokeCarried retires the id of a carried session, for ever: nobody knows when the last copy of it ends.
func (k *keeper) revokeCarried(ctx context.Context, id string) (int, error) {
	if !isID(id) {
		return 0, nil
	}
	ended, err := k.end(ctx, &Record{ID: id}, nil, anybody)
	for _, rec := range ended {
		k.tell(ctx, Event{Kind: EventEnded, ID: rec.ID})
	}
	return len(ended), err
}

// revokeCarriedUser remembers that what began before now is over, but for the sessions to keep. How many that ends,
// nobody knows.
func (k *keeper) revokeCarriedUser(ctx context.Context, user string, keep []string) error {
	if err := k.canRevoke(); err != nil {
		return err
	}
	if err := checkUser(user); err != nil {
		return err
	}
	keep = slices.DeleteFunc(slices.Clone(keep), func(id string) bool { return !isID(id) })
	rec := &Record{ID: everySession(user), Kind: KindTombstone, SeenAt: k.now(), Data: []byte(strings.Join(keep, " "))}
	for attempt := 0; ; attempt++ {
		old, err := k.load(ctx, rec.ID)
		switch {
		case err == nil:
			rec.Version, rec.SeenAt = old.Version, laterOf(old.SeenAt, rec.SeenAt)
		case !errors.Is(err, ErrNotFound):
			return err
		}
		err = k.store.Save(ctx, rec)
		switch {
		case err == nil:
			k.watch.tip("")
			k.tell(ctx, Event{Kind: EventEnded, User: user})
			return nil
		case !errors.Is(err, ErrConflict) || attempt > 0 && pause(ctx, attempt) != nil:
			return unavailable(err)
		}
	}
}
