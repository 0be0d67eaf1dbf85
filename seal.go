package session

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/sealed"
)

// Record.Data begins with a byte for the form and four that name the key. A signed record can be read and is
// authenticated; a sealed one is encrypted too. Both are bound to the record's id, user and version, so that data moved to
// another row, or a row given to another user, do not open.
const (
	formSigned = 1
	formSealed = 2

	formSize  = 1 + 4
	nonceSize = 12
	tagSize   = 16
)

var errUnsealed = fmt.Errorf("%w: it is not sealed, and Options.RequireSealed is set", ErrCorrupt)

func appendLength(dst []byte, n int) []byte { return binary.AppendUvarint(dst, uint64(n)) }

// appendBinding appends what a record's data are bound to.
func appendBinding(dst []byte, rec *Record, version uint64) []byte {
	dst = binary.AppendUvarint(dst, version)
	dst = append(appendLength(dst, len(rec.ID)), rec.ID...)
	return append(appendLength(dst, len(rec.User)), rec.User...)
}

// sealRecord encodes the state as the data of the record's next version.
func sealRecord(k *key, rec *Record, st *state, seal bool) []byte {
	if seal {
		body := st.encode(nil)
		data := append(make([]byte, 0, formSize+sealed.Overhead+len(body)), formSealed)
		data = append(data, k.id[:]...)
		return k.sealing.Seal(data, body, appendBinding(nil, rec, rec.Version+1))
	}
	data := make([]byte, formSize+nonceSize+tagSize, formSize+nonceSize+tagSize+len(rec.ID)+len(rec.User)+st.size()*5/4+128)
	data[0] = formSigned
	copy(data[1:], k.id[:])
	data = appendBinding(data, rec, rec.Version+1)
	data = st.encode(data)
	nonce := data[formSize : formSize+nonceSize]
	_, _ = rand.Read(nonce)
	k.signing.Seal(data[formSize+nonceSize:formSize+nonceSize], nonce, nil, data[formSize+nonceSize+tagSize:])
	return data
}

// openRecord returns the state in the record's data, and whether they are to be signed or sealed anew: they are under
// an older secret, or in the other form.
func (m *Manager) openRecord(rec *Record) (h envelope.Header, entries envelope.Entries, stale bool, err error) {
	if m.carried != nil { // the token that it came in was sealed
		if h, entries, err = envelope.Parse(rec.Data); err != nil {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return h, entries, false, err
	}
	ring := m.ring()
	if len(rec.Data) < formSize {
		return h, nil, false, fmt.Errorf("%w: too short", ErrCorrupt)
	}
	form, id := rec.Data[0], [4]byte(rec.Data[1:formSize])
	if form == formSigned && m.opts.RequireSealed {
		return h, nil, false, errUnsealed
	}
	for i, k := range ring {
		if k.id != id {
			continue
		}
		body, err := openBody(k, form, rec)
		if err != nil {
			return h, nil, false, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		h, entries, err = envelope.Parse(body)
		if err != nil {
			return h, nil, false, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return h, entries, i > 0 || (form == formSealed) != m.opts.Seal, nil
	}
	return h, nil, false, fmt.Errorf("%w: no secret of this manager made it", ErrCorrupt)
}

func openBody(k *key, form byte, rec *Record) ([]byte, error) {
	rest := rec.Data[formSize:]
	switch {
	case form == formSealed:
		return k.sealing.Open(nil, rest, appendBinding(nil, rec, rec.Version))
	case form != formSigned || len(rest) < nonceSize+tagSize:
		return nil, envelope.ErrFormat
	}
	nonce, tag, body := rest[:nonceSize], rest[nonceSize:nonceSize+tagSize], rest[nonceSize+tagSize:]
	if _, err := k.signing.Open(nil, nonce, tag, body); err != nil {
		return nil, sealed.ErrOpen
	}
	return cutBinding(body, rec)
}

// cutBinding removes what appendBinding put before the envelope, if it is the record's own.
func cutBinding(body []byte, rec *Record) ([]byte, error) {
	version, n := binary.Uvarint(body)
	body = body[max(n, 0):]
	bound := n > 0 && version == rec.Version
	for _, want := range []string{rec.ID, rec.User} {
		size, n := binary.Uvarint(body)
		body = body[max(n, 0):]
		if !bound || n <= 0 || size != uint64(len(want)) || size > uint64(len(body)) || string(body[:size]) != want {
			return nil, errors.New("it belongs to another id, user or version")
		}
		body = body[size:]
	}
	return body, nil
}

// sealTicket seals the ticket of the successor under the old ticket, so that only who has the old one can read it.
func sealTicket(old, next ticket, oldID, nextID string) []byte {
	return sealed.NewKey(derive(old[:], "successor", sealed.KeySize)).Seal(nil, next[:], []byte(oldID+nextID))
}

func openTicket(old ticket, rec *Record) (ticket, error) {
	raw, err := sealed.NewKey(derive(old[:], "successor", sealed.KeySize)).Open(nil, rec.Data, []byte(rec.ID+rec.Successor))
	if err != nil || len(raw) != randomSize {
		return ticket{}, fmt.Errorf("%w: alias", ErrCorrupt)
	}
	t := ticket(raw)
	if t.id() != rec.Successor {
		return ticket{}, fmt.Errorf("%w: alias", ErrCorrupt)
	}
	return t, nil
}
