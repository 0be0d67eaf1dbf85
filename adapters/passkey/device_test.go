package passkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// device is an authenticator with one passkey.
type device struct {
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32
	flags  byte // besides that of attested data
	origin string
	rpID   string
	client map[string]any // more of what the browser says
}

const (
	present  = 1
	verified = 4
	eligible = 8
)

func newDevice(t testing.TB) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 20)
	_, _ = rand.Read(id)
	return &device{key: key, id: id, flags: present | verified, origin: origin, rpID: "app.example.com"}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unb64(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// says is what the browser says of a ceremony.
func (d *device) says(t testing.TB, kind, challenge string) []byte {
	t.Helper()
	said := map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false}
	for k, v := range d.client {
		said[k] = v
	}
	text, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// data is what the authenticator signs, with more after it.
func (d *device) data(flags byte, more ...[]byte) []byte {
	d.count++
	sum := sha256.Sum256([]byte(d.rpID))
	out := binary.BigEndian.AppendUint32(append(sum[:], d.flags|flags), d.count)
	return append(out, bytes.Join(more, nil)...)
}

// create makes the answer of a registration.
func (d *device) create(t testing.TB, o options) string {
	t.Helper()
	d.handle = unb64(t, o.PublicKey.User.ID)
	return d.credential(t, map[string]any{
		"clientDataJSON":    b64(d.says(t, "webauthn.create", o.PublicKey.Challenge)),
		"attestationObject": b64(d.object(t)), "transports": []string{"internal"},
	})
}

// object is the new passkey, attested by nobody.
func (d *device) object(t testing.TB) []byte {
	t.Helper()
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	key := cbor(t, map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	length := binary.BigEndian.AppendUint16(nil, uint16(len(d.id)))
	return cbor(t, map[string]any{
		"fmt": "none", "attStmt": map[string]any{},
		"authData": d.data(64, make([]byte, 16), length, d.id, key),
	})
}

// get makes the answer of a sign-in or a confirmation.
func (d *device) get(t testing.TB, o options) string {
	t.Helper()
	said, data := d.says(t, "webauthn.get", o.PublicKey.Challenge), d.data(0)
	hash := sha256.Sum256(said)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return d.credential(t, map[string]any{
		"clientDataJSON": b64(said), "authenticatorData": b64(data), "signature": b64(signature),
		"userHandle": b64(d.handle),
	})
}

func (d *device) credential(t testing.TB, response map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "response": response,
		"clientExtensionResults": map[string]any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func cbor(t testing.TB, v any) []byte {
	t.Helper()
	b, err := webauthncbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
