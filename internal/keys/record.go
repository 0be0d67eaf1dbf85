package keys

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/coatcheck/session/internal/sealed"
)

// The data of a record begin with a byte for the form and four that name the key. A signed record can be read and is
// authenticated; a sealed one is encrypted too. Both are bound to the record's id, user and version, so that data
// moved to another row, or a row given to another user, do not open.
const (
	formSigned = 1
	formSealed = 2

	formSize  = 1 + 4
	nonceSize = 12
	tagSize   = 16
)

var errForm = errors.New("not a record of a known form")

// Row is what a record's data are bound to.
type Row struct {
	ID, User string
	Version  uint64
}

// appendTo appends the row to what is signed.
func (r Row) appendTo(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, r.Version)
	return appendText(appendText(dst, r.ID), r.User)
}

// size is how many bytes appendTo appends.
func (r Row) size() int { return uvarintSize(r.Version) + textSize(r.ID) + textSize(r.User) }

func textSize(text string) int { return uvarintSize(uint64(len(text))) + len(text) }

func uvarintSize(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }

// appendText appends a text so that it cannot be taken for part of what follows.
func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// Seal encrypts or else signs, with the newest key, what encode appends, as the data of that row. The size is about how
// much that will be, and better not below it. Encode must not keep what it is given.
func (ring Ring) Seal(r Row, size int, encode func(dst []byte) []byte, encrypt bool) []byte {
	k := ring[0]
	if encrypt {
		body := encode(nil)
		data := append(make([]byte, 0, formSize+sealed.Overhead+len(body)), formSealed)
		data = append(data, k.id[:]...)
		return k.sealing.Seal(data, body, r.appendTo(nil))
	}
	data := make([]byte, signedHead, signedHead+r.size()+size)
	data[0] = formSigned
	copy(data[1:], k.id[:])
	data = encode(r.appendTo(data))
	nonce := data[formSize : formSize+nonceSize]
	_, _ = rand.Read(nonce)
	k.signing.Seal(data[formSize+nonceSize:formSize+nonceSize], nonce, nil, data[formSize+nonceSize+tagSize:])
	return data
}

// IsSigned reports whether the data of a record are signed alone, as far as their form says.
func IsSigned(data []byte) bool { return len(data) >= formSize && data[0] == formSigned }

// Open returns what was sealed or signed as the data of this row, and which key did it, 0 for the newest. The body may
// be part of the data. The error says what is wrong with them, and nothing of what is in them.
func (ring Ring) Open(data []byte, r Row) (body []byte, signer int, err error) {
	if len(data) < formSize {
		return nil, 0, errors.New("too short")
	}
	form, id := data[0], [4]byte(data[1:formSize])
	for i, k := range ring {
		if k.id == id {
			body, err := k.openBody(form, data[formSize:], r)
			return body, ring.signer(i), err
		}
	}
	return nil, 0, errors.New("no secret of this manager made it")
}

func (k *key) openBody(form byte, rest []byte, r Row) ([]byte, error) {
	switch {
	case form == formSealed:
		return k.sealing.Open(nil, rest, r.appendTo(nil))
	case form != formSigned || len(rest) < nonceSize+tagSize:
		return nil, errForm
	}
	nonce, tag, body := rest[:nonceSize], rest[nonceSize:nonceSize+tagSize], rest[nonceSize+tagSize:]
	if _, err := k.signing.Open(nil, nonce, tag, body); err != nil {
		return nil, sealed.ErrOpen
	}
	return r.cutFrom(body)
}

// cutFrom removes what appendTo put before the body, if it is this row.
func (r Row) cutFrom(body []byte) ([]byte, error) {
	version, n := binary.Uvarint(body)
	body = body[max(n, 0):]
	bound := n > 0 && version == r.Version
	for _, want := range []string{r.ID, r.User} {
		size, n := binary.Uvarint(body)
		body = body[max(n, 0):]
		if !bound || n <= 0 || size != uint64(len(want)) || size > uint64(len(body)) || string(body[:size]) != want {
			return nil, errors.New("it belongs to another id, user or version")
		}
		body = body[size:]
	}
	return body, nil
}
