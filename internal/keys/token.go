package keys

import (
	"slices"
	"strings"
	"sync"

	"github.com/coatcheck/session/internal/sealed"
)

const tokenPrefix = "e1."

// BindToken returns what a token is bound to, besides its secret and purpose: the name of the cookie that holds it.
func BindToken(name string) []byte { return appendText(nil, name) }

// TokenSize is the length of the token that holds so many bytes.
func TokenSize(n int) int {
	return len(tokenPrefix) + strictBase64.EncodedLen(len(key{}.id)+sealed.Overhead+n)
}

// SealToken seals a record that its client keeps. The token is "e1.", then the id of the key and the box in base64.
func (ring Ring) SealToken(plain, binding []byte) string {
	k, raw := ring[0], boxes.Get().(*[]byte)
	defer boxes.Put(raw)
	*raw = k.token.Seal(append((*raw)[:0], k.id[:]...), plain, binding)
	var text strings.Builder
	text.Grow(TokenSize(len(plain)))
	text.WriteString(tokenPrefix)
	var room [256]byte // on the stack, and so for one part after the other
	for part := range slices.Chunk(*raw, len(room)/4*3) {
		text.Write(strictBase64.AppendEncode(room[:0], part))
	}
	return text.String()
}

// boxes are what SealToken has sealed into, which nobody else sees, for the next time.
var boxes = sync.Pool{New: func() any { return new([]byte) }}

// OpenToken opens a token that was sealed for one of these bindings, and says which key sealed it, 0 for the newest.
// The error is ErrMalformed or ErrBadSignature.
func (ring Ring) OpenToken(token string, bindings [][]byte) (plain []byte, signer int, err error) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	raw := make([]byte, strictBase64.DecodedLen(len(text)))
	if !ok || !decodeExactly(raw, text) || len(raw) < len(key{}.id)+sealed.Overhead {
		return nil, 0, ErrMalformed
	}
	for i, k := range ring {
		if k.id != [4]byte(raw) {
			continue
		}
		for _, binding := range bindings {
			if plain, err := k.token.OpenIn(raw[len(k.id):], binding); err == nil {
				return plain, ring.signer(i), nil
			}
			decodeExactly(raw, text) // for the next, since what does not open is lost
		}
	}
	return nil, 0, ErrBadSignature
}
