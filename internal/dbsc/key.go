package dbsc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// The algorithms.
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

const (
	coordinate  = 32       // bytes of one of a point of P-256
	minModulus  = 2048 / 8 // of RSA
	maxModulus  = 4096 / 8
	maxExponent = 4

	errKey       reason = "the key is not one of the kinds that are accepted"
	errPrivate   reason = "the key is a private one"
	errSignature reason = "the signature is not of this key"
)

// Key is the public key of a device.
type Key struct {
	ec  *ecdsa.PublicKey
	rsa *rsa.PublicKey
}

// parseJWK reads the key of a proof (RFC 7517). Members that are not known are ignored.
func parseJWK(raw []byte) (*Key, error) {
	o, err := parseObject(raw)
	if err != nil {
		return nil, err
	}
	if o.has("d") || o.has("k") {
		return nil, errPrivate
	}
	switch kind, _ := o.text("kty"); kind {
	case "EC":
		return parseEC(o)
	case "RSA":
		return parseRSA(o)
	}
	return nil, errKey
}

func parseEC(o object) (*Key, error) {
	curve, _ := o.text("crv")
	x, errX := o.bytes("x")
	y, errY := o.bytes("y")
	if curve != "P-256" || errX != nil || errY != nil || len(x) != coordinate || len(y) != coordinate {
		return nil, errKey
	}
	return pointKey(append(x, y...))
}

// pointKey refuses what is not on the curve.
func pointKey(xy []byte) (*Key, error) {
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, xy...))
	if err != nil {
		return nil, errKey
	}
	return &Key{ec: pub}, nil
}

func parseRSA(o object) (*Key, error) {
	n, errN := o.bytes("n")
	e, errE := o.bytes("e")
	if errN != nil || errE != nil || len(e) == 0 || e[0] == 0 || len(e) > maxExponent {
		return nil, errKey
	}
	exponent := new(big.Int).SetBytes(e).Int64()
	return modulusKey(n, exponent)
}

func modulusKey(n []byte, e int64) (*Key, error) {
	if len(n) < minModulus || len(n) > maxModulus || n[0]&0x80 == 0 || n[len(n)-1]&1 == 0 || e < 3 || e&1 == 0 ||
		e > 1<<31-1 {
		return nil, errKey
	}
	return &Key{rsa: &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(e)}}, nil
}

// Algorithm is the one with which this key signs.
func (k *Key) Algorithm() string {
	if k.ec != nil {
		return ES256
	}
	return RS256
}

// The kinds of key in its bytes.
const (
	kindEC  = 1
	kindRSA = 2
)

// Bytes is what ParseKey reads.
func (k *Key) Bytes() []byte {
	if k.ec != nil {
		return append([]byte{kindEC}, k.point()...)
	}
	e := uint32(k.rsa.E)
	return append([]byte{kindRSA, byte(e >> 24), byte(e >> 16), byte(e >> 8), byte(e)}, k.rsa.N.Bytes()...)
}

// point is the coordinates of the key.
func (k *Key) point() []byte {
	raw, err := k.ec.Bytes()
	if err != nil { // of a point that was read, and so is on its curve
		return nil
	}
	return raw[1:]
}

// ParseKey reads what Bytes wrote.
func ParseKey(raw []byte) (*Key, error) {
	switch {
	case len(raw) == 1+2*coordinate && raw[0] == kindEC:
		return pointKey(raw[1:])
	case len(raw) > 5 && raw[0] == kindRSA:
		e := int64(raw[1])<<24 | int64(raw[2])<<16 | int64(raw[3])<<8 | int64(raw[4])
		return modulusKey(raw[5:], e)
	}
	return nil, errKey
}

// Thumbprint names the key (RFC 7638).
func (k *Key) Thumbprint() [sha256.Size]byte {
	if k.ec != nil {
		xy := k.point()
		return sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + Encode(xy[:coordinate]) +
			`","y":"` + Encode(xy[coordinate:]) + `"}`))
	}
	e := big.NewInt(int64(k.rsa.E)).Bytes()
	return sha256.Sum256([]byte(`{"e":"` + Encode(e) + `","kty":"RSA","n":"` + Encode(k.rsa.N.Bytes()) + `"}`))
}

// verify checks the signature of a text. One of ES256 is the two numbers of 32 bytes each. Of the two numbers that are
// good in the second place both are accepted: browsers do not choose the lower, and a proof is good once in either
// spelling.
func (k *Key) verify(signed string, signature []byte) error {
	sum := sha256.Sum256([]byte(signed))
	if k.ec == nil {
		if rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum[:], signature) != nil {
			return errSignature
		}
		return nil
	}
	if len(signature) != 2*coordinate {
		return errSignature
	}
	r, s := new(big.Int).SetBytes(signature[:coordinate]), new(big.Int).SetBytes(signature[coordinate:])
	if !ecdsa.Verify(k.ec, sum[:], r, s) {
		return errSignature
	}
	return nil
}
