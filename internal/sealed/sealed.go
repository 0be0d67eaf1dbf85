// Package sealed encrypts and authenticates records and tickets with AES-256-GCM under keys that are derived for one
// message each.
//
// The construction is XAES-256-GCM of C2SP: a nonce of 24 random bytes, the first half of which derives the message's
// key by AES-CMAC, the second half of which is the nonce of GCM. Random nonces never collide in practice, so a secret
// may seal any number of messages.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
)

const (
	// KeySize is the length of a key.
	KeySize = 32
	// Overhead is what sealing adds to a message: the nonce before it and the tag behind it.
	Overhead  = nonceSize + tagSize
	nonceSize = 24
	tagSize   = 16
)

// ErrOpen is returned for a message that was not sealed with this key and these associated data, or was changed since.
var ErrOpen = errors.New("message authentication failed")

// Key seals and opens. It is safe for concurrent use.
type Key struct {
	block cipher.Block
	k1    [aes.BlockSize]byte // the CMAC subkey of a whole last block
}

// NewKey returns the key for 32 bytes of key material. It panics for any other length, which only a wrong program
// passes.
func NewKey(material []byte) *Key {
	if len(material) != KeySize {
		panic("sealed: a key has 32 bytes")
	}
	block, err := aes.NewCipher(material)
	if err != nil {
		panic("sealed: " + err.Error())
	}
	k := &Key{block: block}
	k.block.Encrypt(k.k1[:], k.k1[:])
	double(&k.k1)
	return k
}

// double multiplies by x in GF(2^128) as CMAC has it, in constant time.
func double(b *[aes.BlockSize]byte) {
	var carry byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i], carry = b[i]<<1|carry, b[i]>>7
	}
	b[len(b)-1] ^= byte(subtle.ConstantTimeSelect(int(carry), 0x87, 0))
}

// aead returns the cipher of the one message with this nonce.
func (k *Key) aead(nonce []byte) cipher.AEAD {
	var derived [KeySize]byte
	for i := range 2 {
		m := derived[i*aes.BlockSize : (i+1)*aes.BlockSize]
		m[1], m[2] = byte(i+1), 'X'
		copy(m[4:], nonce[:12])
		subtle.XORBytes(m, m, k.k1[:])
		k.block.Encrypt(m, m)
	}
	block, err := aes.NewCipher(derived[:])
	if err != nil {
		panic("sealed: " + err.Error()) // 32 bytes are always a key
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("sealed: " + err.Error()) // AES always has a block of 16 bytes
	}
	return gcm
}

// Seal appends the nonce, the encrypted message and the tag to dst. The associated data are authenticated with it.
// The message and dst must not overlap.
func (k *Key) Seal(dst, message, associated []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, nonceSize)...)
	nonce := dst[start : start+nonceSize]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program first
	return k.aead(nonce).Seal(dst, nonce[12:], message, associated)
}

// Open returns the message of a box that Seal made with the same associated data, appended to dst, or ErrOpen.
func (k *Key) Open(dst, box, associated []byte) ([]byte, error) {
	if len(box) < Overhead {
		return nil, ErrOpen
	}
	nonce := box[:nonceSize]
	message, err := k.aead(nonce).Open(dst, nonce[12:], box[nonceSize:], associated)
	if err != nil {
		return nil, ErrOpen
	}
	return message, nil
}
