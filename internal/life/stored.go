package life

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// stored are records that are in a store, each under its id.
type stored struct{ *Keeper }

var _ Records = stored{}

// maxAliases is how many renewals in a row one load follows at the start of a request: more than fit into the default
// grace at one a second. maxMoves is how many changes of the id are followed in a session that is in use: more than a
// day has at one every 14 seconds. There are bounds because a store that was tampered with may lead in a circle.
const (
	maxAliases = 64
	maxMoves   = 100 * maxAliases
)

// Traits says that everything is kept.
func (s stored) Traits() Traits { return Traits{Kept: true, Final: true} }

// Parse checks a ticket that was signed for the cookie's name, or for a former one.
func (s stored) Parse(token string) (at Place, err error) {
	var signer int
	at.Ticket, signer, err = keys.ParseTicket(token, s.Ring(), s.Names[0])
	for i := 1; i < len(s.Names) && errors.Is(err, ErrBadSignature); i++ {
		at.Ticket, signer, err = keys.ParseTicket(token, s.Ring(), s.Names[i])
	}
	at.Stale = signer > 0
	return at, err
}

// Look loads the record of the id, or goes on from the one that is known.
func (s stored) Look(ctx context.Context, at *Place, begins bool, known *Record) (h envelope.Header,
	entries envelope.Entries, err error) {
	rec, proof := known, (*keys.Proof)(nil)
	if rec == nil {
		rec, proof, err = s.loadShared(ctx, at.id())
	}
	for hops := 0; err == nil && rec.Kind == KindAlias; hops++ {
		at.Rec = rec
		if hops == MostMoves(begins) || begins && s.GraceOver(rec) {
			return h, nil, ErrReused
		}
		next, openErr := OpenAlias(at.Ticket, rec)
		if openErr != nil {
			return h, nil, openErr
		}
		if rec, proof, err = s.loadShared(ctx, rec.Successor); err == nil {
			at.Ticket, at.renewed = next, true
		}
	}
	if err != nil {
		return h, nil, err
	}
	at.Rec = rec
	if rec.Kind != KindLive {
		return h, nil, nil
	}
	h, entries, stale, err := s.openShared(rec, proof)
	at.Stale = at.Stale || stale
	return h, entries, err
}

// MostMoves is how many changes of the id in a row are followed.
func MostMoves(begins bool) int {
	if begins {
		return maxAliases
	}
	return maxMoves
}

var errUnsealed = fmt.Errorf("%w: it is not sealed, and Options.RequireSealed is set", ErrCorrupt)

// Open finds what is under an older secret, or in the other form, to be signed or sealed anew.
func (s stored) Open(rec *Record) (h envelope.Header, entries envelope.Entries, stale bool, err error) {
	signed := keys.IsSigned(rec.Data)
	if s.RequireSealed && signed {
		return h, nil, false, errUnsealed
	}
	body, signer, err := s.Ring().Open(rec.Data, rowOf(rec, rec.Version))
	if err == nil {
		h, entries, err = envelope.Parse(body)
	}
	if err != nil {
		return h, nil, false, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return h, entries, signer > 0 || signed == s.Sealing, nil
}

// Seal encodes the state as the data of the record's next version.
func (s stored) Seal(next Place, st *data.State) (Place, error) {
	rec := next.Rec
	rec.Data = s.Ring().Seal(rowOf(rec, rec.Version+1), st.Room(), st.Append, s.Sealing)
	return next, nil
}

// Missing finds that a session without a record is gone.
func (s stored) Missing(_ context.Context, _ string, of Member) (int64, error) {
	return of.Admitted, ErrNotFound
}

// Remember leaves it at the grace: nobody has a copy of the record.
func (s stored) Remember(*Record, *Record) {}

// OpenAlias returns the ticket of the record that took over.
func OpenAlias(t keys.Ticket, alias *Record) (keys.Ticket, error) {
	next, err := keys.OpenTicket(t, alias.Data, alias.ID, alias.Successor)
	if err != nil {
		return keys.Ticket{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return next, nil
}

// Contents opens a record that a store has loaded, for a tool.
func (k *Keeper) Contents(rec *Record) (data.State, bool, error) {
	if rec.Kind != KindLive {
		return data.State{}, false, fmt.Errorf("%w: a %s has no contents", ErrNotSupported, rec.Kind)
	}
	h, entries, stale, err := k.Records.Open(rec)
	if err != nil {
		return data.State{}, false, err
	}
	return data.NewState(h, entries, h.FlashSeq), stale, nil
}

// Reseal returns a copy of a record as the store is to keep it behind that version: signed or sealed anew.
func (k *Keeper) Reseal(rec *Record, version uint64) (*Record, error) {
	out := rec.Clone()
	out.Version = version
	if version == 0 && rec.Kind == KindLive { // a move that is under way takes place in the other store
		out.Successor = ""
	}
	if rec.Kind != KindLive { // what an alias holds is sealed by its ticket alone, and a tombstone is gone in a day
		return out, nil
	}
	st, _, err := k.Contents(rec)
	if err != nil {
		return nil, err
	}
	next, err := k.Records.Seal(Place{Rec: out}, &st)
	return next.Rec, err
}
