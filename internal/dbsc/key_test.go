package dbsc_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/dbsc"
)

func TestAKeyOfRSASigns(t *testing.T) {
	text := dbsc.Encode([]byte(`{"alg":"RS256","typ":"dbsc+jwt","jwk":`+rsaJWK(rsaKey.N, "AQAB")+`}`)) + "." +
		dbsc.Encode([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	p, err := dbsc.ParseProof(text + "." + dbsc.Encode(sig))
	if err != nil || p.Key.Algorithm() != dbsc.RS256 || p.Verify(p.Key) != nil {
		t.Fatalf("ParseProof = %+v, %v", p, err)
	}
	sig[0] ^= 1
	if p, err = dbsc.ParseProof(text + "." + dbsc.Encode(sig)); err != nil || p.Verify(p.Key) == nil {
		t.Errorf("a changed signature is good: %v", err)
	}
}

func TestAKeyComesBackFromItsBytes(t *testing.T) {
	for _, k := range []*dbsc.Key{device, parsed(rsaJWK(rsaKey.N, "AQAB"))} {
		raw := k.Bytes()
		again, err := dbsc.ParseKey(raw)
		if err != nil || again.Thumbprint() != k.Thumbprint() || !bytes.Equal(again.Bytes(), raw) {
			t.Errorf("ParseKey = %v, %v", again, err)
		}
		for n := range raw {
			if _, err := dbsc.ParseKey(raw[:n]); err == nil && k.Algorithm() == dbsc.ES256 {
				t.Errorf("%d of %d bytes are a key", n, len(raw))
			}
		}
		raw[0] = 9
		if _, err := dbsc.ParseKey(raw); err == nil {
			t.Error("an unknown kind of key is read")
		}
	}
}

// RFC 7638 says which text is hashed.
func TestAThumbprintIsThatOfItsJWK(t *testing.T) {
	sorted := `{"crv":"P-256","kty":"EC",` + strings.TrimPrefix(jwk(deviceKey), `{"kty":"EC","crv":"P-256",`)
	for k, text := range map[*dbsc.Key]string{
		device:                           sorted,
		parsed(rsaJWK(rsaKey.N, "AQAB")): `{"e":"AQAB","kty":"RSA","n":"` + dbsc.Encode(rsaKey.N.Bytes()) + `"}`,
	} {
		if got, want := k.Thumbprint(), sha256.Sum256([]byte(text)); got != want {
			t.Errorf("Thumbprint = %x, want %x", got, want)
		}
	}
}
