package takeover

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/coatcheck/session"
)

// rememberMe is the key under which scs keeps that a cookie survives closing the browser.
const rememberMe = "__rememberMe"

// SCS returns the sessions of alexedwards/scs, of any of its stores, with its codec. Types that gob decodes must be
// registered as before. They can be listed if scs can iterate over its store.
//
// The time of the sign-in is taken to be when the lifetime last began, which RenewToken restarts. A session without an
// idle timeout has none here either, and ends at its deadline. If the site calls SetDeadline, say in Options.Lasts how
// long such sessions can live, and clear Old.LoginAt in Options.Change, for the sign-in was earlier than it says.
func SCS(m *scs.SessionManager) Source { return scsSource{m} }

type scsSource struct{ *scs.SessionManager }

var _ Lister = scsSource{}

func (src scsSource) Cookie() (string, time.Duration) {
	return src.SessionManager.Cookie.Name, src.Lifetime
}

func (src scsSource) Find(r *http.Request) (Entry, error) {
	c, err := r.Cookie(src.SessionManager.Cookie.Name)
	if err != nil || c.Value == "" {
		return Entry{}, nil
	}
	key := c.Value
	if src.HashTokenInStore {
		sum := sha256.Sum256([]byte(key))
		key = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return src.entry(key), nil
}

// entry is the session that the store has under a key, which is the token or its hash. Some databases find it under
// other spellings, too: to MySQL texts are equal but for case, and for spaces at the end, unless the table says
// otherwise.
func (src scsSource) entry(key string) Entry {
	return Entry{
		Token: "scs " + src.SessionManager.Cookie.Name + " " + strings.ToLower(strings.TrimRight(key, " ")),
		Load:  func(ctx context.Context) (*Old, error) { return src.load(ctx, key) },
		End: func(ctx context.Context) error {
			if store, ok := src.Store.(scs.CtxStore); ok {
				return store.DeleteCtx(ctx, key)
			}
			return src.Store.Delete(key)
		},
	}
}

func (src scsSource) load(ctx context.Context, key string) (*Old, error) {
	find := func(key string) ([]byte, bool, error) { return src.Store.Find(key) }
	if store, ok := src.Store.(scs.CtxStore); ok {
		find = func(key string) ([]byte, bool, error) { return store.FindCtx(ctx, key) }
	}
	encoded, found, err := find(key)
	if err != nil || !found {
		return nil, err
	}
	deadline, values, err := src.Codec.Decode(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	remembered, _ := values[rememberMe].(bool)
	delete(values, rememberMe)
	old := &Old{
		Values: values, Deadline: deadline, LoginAt: deadline.Add(-src.Lifetime),
		IdleTimeout: src.IdleTimeout, Persistent: src.SessionManager.Cookie.Persist || remembered,
	}
	if old.IdleTimeout <= 0 {
		old.IdleTimeout = session.Never
	}
	return old, nil
}

func (src scsSource) Expire(h http.Header) {
	c := src.SessionManager.Cookie
	gone := http.Cookie{Name: c.Name, Path: c.Path, Domain: c.Domain, Secure: c.Secure, HttpOnly: c.HttpOnly,
		SameSite: c.SameSite, Partitioned: c.Partitioned, MaxAge: -1, Expires: time.Unix(1, 0)}
	h.Add("Set-Cookie", gone.String())
}

func (src scsSource) List(ctx context.Context) (int, iter.Seq[Entry], error) {
	var all map[string][]byte
	var err error
	switch store := src.Store.(type) {
	case scs.IterableCtxStore:
		all, err = store.AllCtx(ctx)
	case scs.IterableStore:
		all, err = store.All()
	default:
		err = fmt.Errorf("%w: %T is no store that scs iterates over", session.ErrNotSupported, src.Store)
	}
	return len(all), func(yield func(Entry) bool) {
		for key := range maps.Keys(all) {
			if !yield(src.entry(key)) {
				return
			}
		}
	}, err
}
