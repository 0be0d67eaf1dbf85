package carried_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/carried"
	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

// What is sealed in a cookie is authenticated before it is parsed, and still: any bytes give an error, or a record that
// encodes to what parses to the same.
func FuzzCarried(f *testing.F) {
	zeros := make([]byte, 32)
	good := append(append([]byte{1}, zeros...), 2, 4, 6, 0, 3, 'a', 'd', 'a', 1, 2, 0, 2, 0, 0, 0, 0, 0, 1, 'x', 1, '1')
	for n := range good {
		f.Add(good[:n])
	}
	f.Add(good)
	f.Add(append(append([]byte{1}, zeros...), bytes.Repeat([]byte{0xff}, 40)...))
	f.Add(append([]byte{2}, good[1:]...))
	ring := keys.NewRing([][]byte{bytes.Repeat([]byte{7}, 32)})
	r := newRecords(ring, newNotes())
	f.Fuzz(func(t *testing.T, plain []byte) {
		at, err := r.Parse(ring.SealToken(plain, keys.BindToken("ticket")))
		if err != nil {
			return
		}
		h, entries, err := envelope.Parse(at.Rec.Data)
		if err != nil {
			return
		}
		st := data.NewState(h, entries, 0)
		next, err := r.Seal(at, &st)
		if err != nil {
			t.Fatalf("what was parsed does not encode: %v", err)
		}
		again, err := r.Parse(next.Sealed())
		if err != nil {
			t.Fatalf("what was encoded does not parse: %v", err)
		}
		rec, same := at.Rec, again.Rec
		if same.ID != rec.ID || same.User != rec.User || same.Version != rec.Version+1 ||
			!same.SeenAt.Equal(rec.SeenAt) || !same.ExpiresAt.Equal(rec.ExpiresAt) || again.Ticket != at.Ticket {
			t.Errorf("%v became %v", rec, same)
		}
	})
}

// newRecords makes records of which the notes remember what was retired.
func newRecords(ring keys.Ring, s *notes) *carried.Records {
	k := life.New(s, life.Abilities{}, life.Rules{
		Data: data.Rules{Codec: data.JSON{}, MaxBytes: 1 << 20},
		Now:  s.clock, Names: []string{"ticket"}, Ring: func() keys.Ring { return ring },
		Tell: func(_ context.Context, events ...life.Event) { s.told = append(s.told, events...) },
		Idle: time.Hour, RenewGrace: time.Minute, StoreType: "a store of notes",
		Explain: func(err error) error { return err },
	})
	k.Records = carried.New(k, plainly{}, true, 4096, 4096)
	return k.Records.(*carried.Records)
}

// plainly makes no record shorter.
type plainly struct{}

func (plainly) Pack(plain []byte) []byte                    { return plain }
func (plainly) Unpack(packed []byte, _ int) ([]byte, error) { return packed, nil }

// notes are a store of what was retired, and forget everything else.
type notes struct {
	now  time.Time
	byID map[string]life.Record
	told []life.Event
}

func newNotes() *notes {
	return &notes{now: time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC), byID: map[string]life.Record{}}
}

func (s *notes) clock() time.Time { return s.now }

func (s *notes) Load(_ context.Context, id string) (*life.Record, error) {
	rec, ok := s.byID[id]
	if !ok {
		return nil, life.ErrNotFound
	}
	return rec.Clone(), nil
}

func (s *notes) Save(_ context.Context, rec *life.Record) error {
	if old, ok := s.byID[rec.ID]; ok && (rec.Kind == life.KindLive || old.Version != rec.Version) {
		return life.ErrConflict
	}
	if rec.Kind != life.KindLive {
		kept := *rec.Clone()
		kept.Version++
		s.byID[rec.ID] = kept
	}
	return nil
}

func (s *notes) Delete(context.Context, string) error { return nil }
