// Package sealed encrypts and authenticates records and tickets with AES-256-GCM under derived keys.
//
// The construction is XAES-256-GCM of C2SP: a nonce of 24 bytes, the first half of which derives a key by AES-CMAC, the
// second half of which is the nonce of GCM. To derive a key costs more than to seal a short message, so one first half
// serves a run of messages, each with a second half of its own that is drawn at random. A run ends far below the 2^32
// messages that random nonces of GCM bear, so a secret may seal any number of messages.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"sync/atomic"
)

const (
	// KeySize is the length of a key.
	KeySize = 32
	// Overhead is what sealing adds to a message: the nonce before it and the tag behind it.
	Overhead  = nonceSize + tagSize
	nonceSize = 24
	tagSize   = 16

	prefixSize = nonceSize / 2
	runLength  = 1 << 20 // messages under one derived key: two nonces meet with a chance of 2^-57
	slots      = 64      // derived keys that are kept to open with
)

// ErrOpen is returned for a message that was not sealed with this key and these associated data, or was changed since.
var ErrOpen = errors.New("message authentication failed")

// Key seals and opens. It is safe for concurrent use.
type Key struct {
	block cipher.Block
	k1    [aes.BlockSize]byte // the CMAC subkey of a whole last block
	run   atomic.Pointer[run] // what is sealed with now
	known [slots]atomic.Pointer[derived]
}

// derived is the key that the first half of a nonce leads to.
type derived struct {
	prefix [prefixSize]byte
	cipher.AEAD
}

// run counts the messages of one derived key.
type run struct {
	derived
	sealed atomic.Int64
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

// derive makes the key of messages whose nonce begins with the prefix.
func (k *Key) derive(prefix [prefixSize]byte) derived {
	var material [KeySize]byte
	for i := range 2 {
		m := material[i*aes.BlockSize : (i+1)*aes.BlockSize]
		m[1], m[2] = byte(i+1), 'X'
		copy(m[4:], prefix[:])
		subtle.XORBytes(m, m, k.k1[:])
		k.block.Encrypt(m, m)
	}
	block, err := aes.NewCipher(material[:])
	if err != nil {
		panic("sealed: " + err.Error()) // 32 bytes are always a key
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("sealed: " + err.Error()) // AES always has a block of 16 bytes
	}
	return derived{prefix, gcm}
}

// current returns the run that the next message belongs to. Those who find it used up at the same time may each begin a
// new one, of which one stays.
func (k *Key) current() *run {
	r := k.run.Load()
	if r != nil && r.sealed.Add(1) <= runLength {
		return r
	}
	var prefix [prefixSize]byte
	_, _ = rand.Read(prefix[:]) // never fails: crypto/rand ends the program first
	r = &run{derived: k.derive(prefix)}
	r.sealed.Store(1)
	k.run.Store(r)
	return r
}

// keyOf returns the derived key of a prefix, and whether it was at hand. An unknown one is kept by Open, once a
// message has opened: strangers do not fill the slots.
func (k *Key) keyOf(prefix [prefixSize]byte) (d *derived, known bool) {
	if r := k.run.Load(); r != nil && r.prefix == prefix {
		return &r.derived, true
	}
	if d := k.slot(prefix).Load(); d != nil && d.prefix == prefix {
		return d, true
	}
	fresh := k.derive(prefix)
	return &fresh, false
}

func (k *Key) slot(prefix [prefixSize]byte) *atomic.Pointer[derived] {
	return &k.known[prefix[0]%slots]
}

// Seal appends the nonce, the encrypted message and the tag to dst. The associated data are authenticated with it.
// The message and dst must not overlap.
func (k *Key) Seal(dst, message, associated []byte) []byte {
	r := k.current()
	start := len(dst)
	dst = append(dst, make([]byte, nonceSize)...)
	nonce := dst[start+prefixSize : start+nonceSize]
	copy(dst[start:], r.prefix[:])
	_, _ = rand.Read(nonce)
	return r.Seal(dst, nonce, message, associated)
}

// OpenIn is Open with the message in the memory of the box. What was there is lost, also on an error.
func (k *Key) OpenIn(box, associated []byte) ([]byte, error) {
	if len(box) < Overhead {
		return nil, ErrOpen
	}
	return k.Open(box[nonceSize:nonceSize], box, associated)
}

// Open returns the message of a box that Seal made with the same associated data, appended to dst, or ErrOpen.
func (k *Key) Open(dst, box, associated []byte) ([]byte, error) {
	if len(box) < Overhead {
		return nil, ErrOpen
	}
	prefix := [prefixSize]byte(box)
	d, known := k.keyOf(prefix)
	message, err := d.Open(dst, box[prefixSize:nonceSize], box[nonceSize:], associated)
	if err != nil {
		return nil, ErrOpen
	}
	if !known {
		k.slot(prefix).Store(d)
	}
	return message, nil
}
