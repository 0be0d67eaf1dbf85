package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// stored are records that are in a store, each under its id.
type stored struct{ *keeper }

var _ records = stored{}

// maxAliases bounds how many renewals in a row one load follows: more than fit into the default grace at one a second.
const maxAliases = 64

func (s stored) traits() traits { return traits{kept: true, final: true} }

// parse checks a ticket that was signed for the cookie's name, or for a former one.
func (s stored) parse(token string) (at place, err error) {
	var signer int
	at.ticket, signer, err = keys.ParseTicket(token, s.ring(), s.names[0])
	for i := 1; i < len(s.names) && errors.Is(err, ErrBadSignature); i++ {
		at.ticket, signer, err = keys.ParseTicket(token, s.ring(), s.names[i])
	}
	at.stale = signer > 0
	return at, err
}

func (s stored) look(ctx context.Context, at *place, begins bool, known *Record) (h envelope.Header,
	entries envelope.Entries, err error) {
	rec := known
	if rec == nil {
		rec, err = s.load(ctx, at.id())
	}
	for hops := 0; err == nil && rec.Kind == KindAlias; hops++ {
		at.rec = rec
		if hops == maxAliases || begins && s.graceOver(rec) {
			return h, nil, errReused
		}
		next, openErr := openAlias(at.ticket, rec)
		if openErr != nil {
			return h, nil, openErr
		}
		if rec, err = s.load(ctx, rec.Successor); err == nil {
			at.ticket, at.renewed = next, true
		}
	}
	if err != nil {
		return h, nil, err
	}
	at.rec = rec
	if rec.Kind != KindLive {
		return h, nil, nil
	}
	h, entries, stale, err := s.open(rec)
	at.stale = at.stale || stale
	return h, entries, err
}

var errUnsealed = fmt.Errorf("%w: it is not sealed, and Options.RequireSealed is set", ErrCorrupt)

// open finds what is under an older secret, or in the other form, to be signed or sealed anew.
func (s stored) open(rec *Record) (h envelope.Header, entries envelope.Entries, stale bool, err error) {
	signed := keys.IsSigned(rec.Data)
	if s.requireSealed && signed {
		return h, nil, false, errUnsealed
	}
	body, signer, err := s.ring().Open(rec.Data, keys.Row{ID: rec.ID, User: rec.User, Version: rec.Version})
	if err == nil {
		h, entries, err = envelope.Parse(body)
	}
	if err != nil {
		return h, nil, false, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return h, entries, signer > 0 || signed == s.sealing, nil
}

// seal encodes the state as the data of the record's next version.
func (s stored) seal(next place, st *data.State) (place, error) {
	rec := next.rec
	row := keys.Row{ID: rec.ID, User: rec.User, Version: rec.Version + 1}
	rec.Data = s.ring().Seal(row, st.Size(), st.Append, s.sealing)
	return next, nil
}

func (s stored) missing(_ context.Context, _ string, of member) (int64, error) {
	return of.admitted, ErrNotFound
}

func (s stored) remember(*Record, *Record) {}

// openAlias returns the ticket of the record that took over.
func openAlias(t keys.Ticket, alias *Record) (keys.Ticket, error) {
	next, err := keys.OpenTicket(t, alias.Data, alias.ID, alias.Successor)
	if err != nil {
		return keys.Ticket{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return next, nil
}

func (k *keeper) contents(rec *Record) (data.State, bool, error) {
	if rec.Kind != KindLive {
		return data.State{}, false, fmt.Errorf("%w: a %s has no contents", ErrNotSupported, rec.Kind)
	}
	h, entries, stale, err := k.records.open(rec)
	if err != nil {
		return data.State{}, false, err
	}
	return data.NewState(h, entries, h.FlashSeq), stale, nil
}

func (k *keeper) reseal(rec *Record, version uint64) (*Record, error) {
	out := rec.Clone()
	out.Version = version
	if version == 0 && rec.Kind == KindLive { // a move that is under way takes place in the other store
		out.Successor = ""
	}
	if rec.Kind != KindLive { // what an alias holds is sealed by its ticket alone, and a tombstone holds nothing
		return out, nil
	}
	st, _, err := k.contents(rec)
	if err != nil {
		return nil, err
	}
	next, err := k.records.seal(place{rec: out}, &st)
	return next.rec, err
}
