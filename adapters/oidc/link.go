package oidcsession

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/beside"
)

// What a record is found by.
const (
	bySession = "sid"
	bySubject = "sub"
	byToken   = "jti"
)

// named is how the provider names what it has ended; "" for what it does not say. With a sid it is that sign-in, and
// otherwise all of the subject.
type named struct{ sid, sub string }

// id looks like the id of a session. No ticket has this hash, so that the record opens nothing.
func (l *Links) id(kind, issuer, value string) string {
	sum := sha256.Sum256([]byte("coatcheck oidc " + kind + strconv.Quote(issuer) + strconv.Quote(l.client) + value))
	return hex.EncodeToString(sum[:])
}

// knot is the record of a sid or sub: who at the site has signed in by it, and whether the provider has ended that.
// Whatever is exact about links follows from it: a Login and a logout both change it by compare-and-set, so that one of
// them sees the other.
type knot struct {
	Users map[string]int64 `json:"users,omitempty"` // until when they may be signed in, in microseconds
	// Before is the issue of the last logout, in seconds by the provider's clock. Of a subject it ends the sign-ins
	// whose ID tokens were not issued later. Unnamed is that of the last one that named a sid besides, and ends those
	// of them whose ID tokens had none.
	Before  int64 `json:"before,omitempty"`
	Unnamed int64 `json:"unnamed,omitempty"`
	Marked  int64 `json:"marked,omitempty"` // when that was noted, in microseconds by our clock
}

// knotOf reads what next wrote, without what is over. What cannot be read is as if it was not there.
func knotOf(rec *session.Record, now time.Time) (k knot) {
	if json.Unmarshal(rec.Data, &k) != nil {
		k = knot{}
	}
	maps.DeleteFunc(k.Users, func(_ string, until int64) bool { return until <= now.UnixMicro() })
	return k
}

func (l *Links) next(rec *session.Record, k knot, now time.Time) *session.Record {
	until := time.UnixMicro(k.Marked).Add(l.remembered())
	for _, t := range k.Users {
		until = later(until, time.UnixMicro(t))
	}
	data, _ := json.Marshal(k) // texts and numbers
	return beside.Next(rec, now, until.UTC(), data)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// remembered is how long it matters that a sign-in is over: an ID token that was issued before is then refused for its
// age, whichever clock goes wrong by how much.
func (l *Links) remembered() time.Duration { return l.opts.SignInWithin + 3*clockSkew }

// ended reports whether the provider has ended the sign-in. A sid that is used again much later is a new one.
func (l *Links) ended(kind string, k knot, link Link, now time.Time) bool {
	if kind == bySession {
		return k.Marked != 0 && now.Sub(time.UnixMicro(k.Marked)) < l.remembered()
	}
	return k.Marked != 0 && k.covers(link)
}

// covers reports whether a logout of a subject means a sign-in of it.
func (k knot) covers(link Link) bool {
	at := link.IssuedAt.Unix()
	return at <= k.Before || link.SessionID == "" && at <= k.Unnamed
}

// way is by what a link is found.
type way struct{ kind, id string }

func (l *Links) ways(link Link) []way {
	ways := []way{{bySubject, l.id(bySubject, link.Issuer, link.Subject)}}
	if link.SessionID != "" {
		ways = append(ways, way{bySession, l.id(bySession, link.Issuer, link.SessionID)})
	}
	return ways
}

// passes looks whether the provider has ended the sign-in.
func (l *Links) passes(ctx context.Context, link Link) error {
	for _, by := range l.ways(link) {
		rec, err := beside.Load(ctx, l.store, by.id)
		if err != nil {
			return unavailable(err)
		}
		if now := l.m.Now(); l.ended(by.kind, knotOf(rec, now), link, now) {
			return ErrLoggedOut
		}
	}
	return nil
}

// maxUsers is how many users of a site may share a subject of the provider.
const maxUsers = 64

// join notes that the user has signed in, unless that is over.
func (l *Links) join(ctx context.Context, link Link, user string) error {
	for _, by := range l.ways(link) {
		var refused error
		err := beside.Change(ctx, l.store, by.id, func(rec *session.Record) *session.Record {
			now := l.m.Now()
			k := knotOf(rec, now)
			if refused = l.joined(by.kind, &k, link, user, now); refused != nil {
				return nil
			}
			return l.next(rec, k, now)
		})
		if err != nil {
			return unavailable(err)
		}
		if refused != nil {
			return refused
		}
	}
	return nil
}

func (l *Links) joined(kind string, k *knot, link Link, user string, now time.Time) error {
	if l.ended(kind, *k, link, now) {
		return ErrLoggedOut
	}
	if k.Users == nil {
		k.Users = map[string]int64{}
	}
	if _, known := k.Users[user]; !known && len(k.Users) >= maxUsers {
		return errors.New("oidcsession: Login: too many users of the site have signed in as one subject")
	}
	k.Users[user] = max(k.Users[user], now.Add(l.opts.LinkFor).UnixMicro())
	return nil
}

// end ends the sessions of what is named, and those that are about to begin by it. issued is when the provider said so.
// It may be done again, and then ends what the first time could not. Of a sid and its sub together it also ends what
// the sub has begun by ID tokens without a sid, for one of those may be meant.
func (l *Links) end(ctx context.Context, who named, issued time.Time, why session.Reason) error {
	at := issued.Unix()
	if who.sid == "" {
		return l.endAll(ctx, bySubject, who.sub, why, func(k *knot) { k.Before = max(k.Before, at) })
	}
	err := l.endAll(ctx, bySession, who.sid, why, func(k *knot) { k.Before = max(k.Before, at) })
	if err == nil && who.sub != "" {
		err = l.endAll(ctx, bySubject, who.sub, why, func(k *knot) { k.Unnamed = max(k.Unnamed, at) })
	}
	return err
}

// endAll marks the record of a sid or sub, and ends the sessions that the mark means.
func (l *Links) endAll(ctx context.Context, kind, value string, why session.Reason, mark func(*knot)) error {
	var users []string
	var k knot
	err := beside.Change(ctx, l.store, l.id(kind, l.issuer, value), func(rec *session.Record) *session.Record {
		now := l.m.Now()
		k = knotOf(rec, now)
		mark(&k)
		k.Marked = now.UnixMicro()
		users = slices.Sorted(maps.Keys(k.Users))
		return l.next(rec, k, now)
	})
	if err != nil {
		return unavailable(err)
	}
	for _, user := range users {
		_, one := l.m.RevokeWhere(ctx, why, user, func(s *session.Session) bool {
			link, err := linked.Lookup(s)
			if err != nil { // one that cannot be read, after a change of the codec, may be the one
				return !errors.Is(err, session.ErrNoValue)
			}
			return l.means(kind, value, link, k)
		})
		err = errors.Join(err, one)
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// means reports whether a link is to one of the sign-ins that the provider has ended.
func (l *Links) means(kind, value string, link Link, k knot) bool {
	if link.Issuer != l.issuer || link.Client != l.client {
		return false
	}
	if kind == bySession {
		return link.SessionID == value
	}
	return link.Subject == value && k.covers(link)
}

// spent reports whether a token was used before, on any node.
func (l *Links) spent(ctx context.Context, issuer, jti string) (bool, error) {
	rec, err := beside.Load(ctx, l.store, l.id(byToken, issuer, jti))
	if err != nil {
		return false, unavailable(err)
	}
	return rec.Version != 0, nil
}

// spend notes that a token was used, and reports false when somebody else has done so meanwhile. Where the answer of
// the store is lost, the note says whose it is.
func (l *Links) spend(ctx context.Context, issuer, jti string, until time.Time) (first bool, err error) {
	id, mine := l.id(byToken, issuer, jti), []byte(rand.Text())
	err = beside.Change(ctx, l.store, id, func(rec *session.Record) *session.Record {
		if first = rec.Version == 0; !first {
			return nil
		}
		return beside.Next(rec, l.m.Now(), until.UTC(), mine)
	})
	if err == nil && first {
		return true, nil
	}
	if rec, again := beside.Load(ctx, l.store, id); again == nil && bytes.Equal(rec.Data, mine) {
		return true, nil
	}
	if err != nil {
		return false, unavailable(err)
	}
	return false, nil
}

func unavailable(err error) error {
	if errors.Is(err, session.ErrUnavailable) {
		return fmt.Errorf("oidcsession: %w", err)
	}
	return fmt.Errorf("oidcsession: %w: %w", session.ErrUnavailable, err)
}
