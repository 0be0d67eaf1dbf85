package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"

	"github.com/coatcheck/session/internal/sealed"
)

// key holds what is derived from one secret: a key for each purpose, so that nothing made for one passes for another.
type key struct {
	id      [4]byte // names the key in records, and tells nothing of it
	ticket  *macs
	cookie  *macs
	signing cipher.AEAD // authenticates records that are not sealed
	sealing *sealed.Key
	token   *sealed.Key // of records that travel with the client
	foreign *macs       // of what follows from the tokens of other libraries
	names   *macs       // of what stands for a name
	early   bool        // in this ring another key signs, which is to be replaced by this one
}

// Ring is the derived keys, newest first: the first signs and seals, all of them verify and open. It has at least one,
// and is safe for concurrent use.
type Ring []*key

// signer is the index of a key, as others are told: 0 also for one that is to sign after the one that does now, for
// what it made needs no other signature.
func (ring Ring) signer(i int) int {
	if ring[i].early {
		return 0
	}
	return i
}

// NewRing derives the keys of these secrets, of which there is at least one, the newest first. It keeps none of them.
func NewRing(secrets [][]byte) Ring {
	ring := make(Ring, len(secrets))
	for i, s := range secrets {
		ring[i] = newKey(s)
	}
	return ring
}

func newKey(s []byte) *key {
	k := &key{
		ticket:  newMACs(derive(s, "ticket", 32)),
		cookie:  newMACs(derive(s, "signed cookie", 32)),
		sealing: sealed.NewKey(derive(s, "sealed record", sealed.KeySize)),
		token:   sealed.NewKey(derive(s, "carried record", sealed.KeySize)),
		foreign: newMACs(derive(s, "foreign token", 32)),
		names:   newMACs(derive(s, "pseudonym", 32)),
	}
	block, err := aes.NewCipher(derive(s, "signed record", 32))
	if err == nil {
		k.signing, err = cipher.NewGCM(block)
	}
	if err != nil {
		panic("keys: " + err.Error()) // AES takes 32 bytes, and GCM takes AES
	}
	copy(k.id[:], derive(s, "key id", len(k.id)))
	return k
}

func derive(s []byte, purpose string, size int) []byte {
	material, err := hkdf.Key(sha256.New, s, nil, "coatcheck v1 "+purpose, size)
	if err != nil {
		panic("keys: " + err.Error()) // only for sizes above 8160
	}
	return material
}
