package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// lender is a store of this process that shares its records, and changes what it lends.
type lender struct {
	*memstore.Store
	lend func(rec *session.Record, note any) (*session.Record, any)
}

func (l *lender) Shares(s session.Store) bool { return s == session.Store(l) }

func (l *lender) LoadShared(ctx context.Context, id string) (*session.Record, any, error) {
	rec, note, err := l.Store.LoadShared(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	rec, note = l.lend(rec, note)
	return rec, note, nil
}

// What was proven to be good once is good for its own row and bytes alone: a store that changes anything hands out a
// record that is authenticated again, and does not open.
func TestNothingThatASharingStoreChangesOpens(t *testing.T) {
	var other *session.Record
	var otherNote any
	for what, change := range map[string]func(rec *session.Record){
		"the user":              func(rec *session.Record) { rec.User = "eve" },
		"the id":                func(rec *session.Record) { rec.ID = other.ID },
		"the version":           func(rec *session.Record) { rec.Version++ },
		"a byte of a copy":      func(rec *session.Record) { rec.Data = flipped(rec.Data) },
		"the data of another":   func(rec *session.Record) { rec.Data = other.Data },
		"a part of the data":    func(rec *session.Record) { rec.Data = rec.Data[:len(rec.Data)-1] },
		"no data":               func(rec *session.Record) { rec.Data = nil },
		"another record but ID": func(rec *session.Record) { id := rec.ID; *rec = *other; rec.ID = id },
	} {
		for whose, swap := range map[string]bool{"its own note": false, "the note of another": true} {
			t.Run(what+" with "+whose, func(t *testing.T) {
				changing := false
				store := &lender{Store: memstore.New(memstore.Options{})}
				store.lend = func(rec *session.Record, note any) (*session.Record, any) {
					if !changing {
						return rec, note
					}
					changed := *rec
					change(&changed)
					if swap {
						note = otherNote
					}
					return &changed, note
				}
				r := newRigOn(t, store)
				v, w := r.visitor(), r.visitor()
				v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
				w.with(func(s *session.Session) { s.Login("bob"); s.Set("x", 2) })
				w.with(func(s *session.Session) { other, otherNote, _ = store.Store.LoadShared(t.Context(), s.ID()) })
				changing = true
				before := r.ev.count(session.EventRejected)
				v.with(func(s *session.Session) {
					if s.User() != "" || s.Has("x") || !s.IsNew() {
						t.Errorf("a session of %q with x = %v opened", s.User(), s.Get("x"))
					}
				})
				if n := r.ev.count(session.EventRejected) - before; n != 1 {
					t.Errorf("%d events rejected, want one", n)
				}
			})
		}
	}
}

func flipped(data []byte) []byte {
	data = bytes.Clone(data)
	data[len(data)-1] ^= 1
	return data
}

// A copy of good data is as good as the data, and costs its authentication.
func TestACopyOfGoodDataOpens(t *testing.T) {
	store := &lender{Store: memstore.New(memstore.Options{})}
	store.lend = func(rec *session.Record, note any) (*session.Record, any) { return rec.Clone(), note }
	v := newRigOn(t, store).visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
}

// The proof of one manager says nothing to another on the same store, nor after the secrets were replaced.
func TestAProofHoldsForTheManagerAndTheSecretThatMadeIt(t *testing.T) {
	store := memstore.New(memstore.Options{})
	stranger := newRigOn(t, store, func(o *session.Options) { o.Secrets = []session.Secret{session.NewSecret()} })
	r := newRigOn(t, store)
	v := r.visitor()
	var token string
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	v.with(func(s *session.Session) { token = s.Token() })
	if s, err := stranger.Open(t.Context(), token); err != nil || s.User() != "" || s.Has("x") {
		t.Errorf("another manager opened the session of %q, %v", s.User(), err)
	}
	if err := r.SetSecrets([]session.Secret{session.NewSecret()}); err != nil {
		t.Fatal(err)
	}
	v.with(func(s *session.Session) {
		if s.User() != "" || s.Has("x") {
			t.Error("a session opened whose secret is gone")
		}
	})
}

// Both know the secret, and one of them wants every record sealed: what the other has signed is no such record.
func TestAProofOfAnotherManagerDoesNotStandForASeal(t *testing.T) {
	store := memstore.New(memstore.Options{})
	signing := newRigOn(t, store)
	sealing := newRigOn(t, store, func(o *session.Options) { o.Seal, o.RequireSealed = true, true })
	var token string
	v := signing.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	v.with(func(s *session.Session) { token = s.Token() })
	if s, err := sealing.Open(t.Context(), token); err != nil || s.User() != "" || !s.IsNew() {
		t.Errorf("a record that is not sealed opened the session of %q, %v", s.User(), err)
	}
	if s, err := signing.Open(t.Context(), token); err != nil || s.User() != "ada" {
		t.Errorf("the manager that made it finds %q, %v", s.User(), err)
	}
}

// keeping is a codec that scribbles on its input, as one that decodes in place may.
type keeping struct{}

func (keeping) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

func (keeping) Unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	clear(data)
	return err
}

// scribbling is a value whose own method changes what it is given.
type scribbling struct{ N int }

func (s *scribbling) UnmarshalJSON(data []byte) error {
	s.N = len(data)
	clear(data)
	return nil
}

// Many requests read the bytes that the store keeps, and what decodes them is the application's.
func TestWhatDecodesASharedValueCannotChangeIt(t *testing.T) {
	for name, codec := range map[string]session.Codec{"JSON": nil, "a codec that clears its input": keeping{}} {
		t.Run(name, func(t *testing.T) {
			v := newRig(t, func(o *session.Options) { o.Codec = codec }).visitor()
			const key = session.Key[scribbling]("list")
			v.with(func(s *session.Session) { s.Set("list", []int{1, 2, 3}); s.Set("tree.leaf", "green") })
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					v.with(func(s *session.Session) {
						if got, ok := key.Get(s); !ok || got.N != len("[1,2,3]") {
							t.Errorf("Get = %v, %v, want the 7 bytes", got, ok)
						}
						wantGet(t, s, "tree.leaf", "green")
						wantGet(t, s, "list.2", int64(3))
					})
				})
			}
			all.Wait()
		})
	}
}

// A record that is shared is looked through once, and what the clocks need of it is known to each request after that:
// a deadline that was set, changed and removed, whatever was read before.
func TestASharedRecordHasItsDeadlineAtEachLoad(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now := start
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	ticket := ""
	open := func() *session.Session {
		t.Helper()
		s, err := m.Open(t.Context(), ticket)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, deadline := range []time.Duration{0, time.Hour, 0, 2 * time.Hour, time.Minute} {
		s := open()
		if s.Set("x", "y"); deadline > 0 {
			s.SetDeadline(start.Add(deadline))
		} else {
			s.SetDeadline(time.Time{})
		}
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		ticket = s.Token()
		want := start.Add(24 * time.Hour)
		if deadline > 0 {
			want = start.Add(deadline)
		}
		for range 3 {
			if s := open(); !s.ExpiresAt().Equal(want) || s.Get("x") != "y" {
				t.Errorf("with the deadline %v it ends at %v and x is %v, want %v and y", deadline, s.ExpiresAt(),
					s.Get("x"), want)
			}
		}
	}
	if now = start.Add(time.Minute); !open().Expired() {
		t.Error("it is there after its deadline")
	}
}
