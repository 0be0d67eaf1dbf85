package life

import (
	"context"
	"errors"

	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// Sharer is a session.Sharer, whose notes are proofs.
type Sharer interface {
	LoadShared(ctx context.Context, id string) (*Record, *keys.Proof, error)
	SaveShared(ctx context.Context, rec *Record, proof *keys.Proof) error
}

// save stores a live record, which then has the version that is stored. Nobody may change it any more: the store may
// keep the record itself.
func (k *Keeper) save(ctx context.Context, rec *Record) error {
	if k.can.Sharer != nil {
		return k.can.Sharer.SaveShared(ctx, rec, k.Ring().Prove(rec.Data))
	}
	err := k.Store.Save(ctx, rec)
	if err == nil {
		rec.Version++
	}
	return err
}

// loadShared is Load, with the proof of the data if there is one. Nobody may change the record.
func (k *Keeper) loadShared(ctx context.Context, id string) (*Record, *keys.Proof, error) {
	if k.can.Sharer == nil {
		rec, err := k.Load(ctx, id)
		return rec, nil, err
	}
	rec, proof, err := k.can.Sharer.LoadShared(ctx, id)
	return rec, proof, outage(err)
}

// outage makes everything that is no clear "not found" an outage.
func outage(err error) error {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
		return err
	}
	return Unavailable(err)
}

// openShared is Open, but for data that never left this process.
func (s stored) openShared(rec *Record, proof *keys.Proof) (envelope.Header, envelope.Entries, bool, error) {
	body, ok := s.Ring().Proven(proof, rec.Data, rowOf(rec, rec.Version))
	if !ok {
		return s.Open(rec)
	}
	noted := proof.Noted.Load()
	if noted != 0 {
		h, entries, err := envelope.ParseAgain(body, noted == parsedOwn)
		return h, entries, false, err
	}
	h, entries, err := envelope.Parse(body)
	switch {
	case err != nil:
	case h.HasOwn:
		proof.Noted.Store(parsedOwn)
	default:
		proof.Noted.Store(parsedNoOwn)
	}
	return h, entries, false, err
}

// What is noted of a body that is shared: that it was parsed, and whether it has entries of the library's own.
const (
	parsedOwn = iota + 1
	parsedNoOwn
)

func rowOf(rec *Record, version uint64) keys.Row {
	return keys.Row{ID: rec.ID, User: rec.User, Version: version}
}
