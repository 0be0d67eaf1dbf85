package session_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/sealed"
	"github.com/coatcheck/session/memstore"
)

func fuzzStore(f *testing.F, secret session.Secret) (*session.Manager, *memstore.Store) {
	f.Helper()
	store := memstore.New(memstore.Options{})
	m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: -1, IdleTimeout: -1,
		Lifetime: -1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { m.Close() })
	return m, store
}

// stored saves the session and opens it again.
func stored(t *testing.T, m *session.Manager, s *session.Session) *session.Session {
	t.Helper()
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := m.Open(t.Context(), s.Token())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func opened(t *testing.T, m *session.Manager, token string) *session.Session {
	t.Helper()
	s, err := m.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// deriveKey is what internal/keys derives, written down a second time: records of today must open tomorrow.
func deriveKey(f *testing.F, secret session.Secret, purpose string, size int) []byte {
	f.Helper()
	material, err := hkdf.Key(sha256.New, secret, nil, "coatcheck v1 "+purpose, size)
	if err != nil {
		f.Fatal(err)
	}
	return material
}

// sealedFor is the data of the first version of a record, as internal/keys has it.
func sealedFor(keyID []byte, key *sealed.Key, id, user string, body []byte) []byte {
	binding := binary.AppendUvarint(nil, 1)
	for _, text := range []string{id, user} {
		binding = append(binary.AppendUvarint(binding, uint64(len(text))), text...)
	}
	return key.Seal(append([]byte{2}, keyID...), body, binding)
}

// FuzzEnvelopeLoad: whatever stands in an authentic record, it is read as a whole or gives an empty session, it can be
// used and stored again, and nothing of it panics. The same bytes without authentication open nothing.
func FuzzEnvelopeLoad(f *testing.F) {
	h := envelope.Header{Created: 1, Login: 2, Issued: 3, Idle: -1, Lifetime: -1, Persistent: 1, FlashSeq: 2,
		Flashes: []envelope.Flash{{Path: "f", Seq: 1}, {Path: `in\.f.g`, Seq: 2, Made: 1}}}
	whole := h.Append(nil)
	for key, value := range map[string]string{"f": `"flash"`, "in.f": `{"g":1}`, "n": "1", "list": "[1,2]", "torn": "{",
		"": "null"} {
		whole = envelope.AppendEntry(whole, key, []byte(value))
	}
	for _, body := range [][]byte{whole, whole[:len(whole)-3], whole[:9], {}, {0}, {1}, bytes.Repeat([]byte{0xff}, 40),
		(&envelope.Header{}).Append(nil)} {
		f.Add(body)
	}
	secret := session.Secret("0123456789abcdefGHIJKLMNOPQRSTUV")
	m, store := fuzzStore(f, secret)
	keyID, key := deriveKey(f, secret, "key id", 4),
		sealed.NewKey(deriveKey(f, secret, "sealed record", sealed.KeySize))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := opened(t, m, "")
		s.Login("ada")
		stored(t, m, s)
		id, token := s.ID(), s.Token()
		for _, data := range [][]byte{body, append([]byte{1}, body...), sealedFor(keyID, key, id, "eve", body),
			sealedFor(keyID, key, id, "ada", body)} {
			if err := store.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if err := store.Save(t.Context(), &session.Record{ID: id, User: "ada", Data: data}); err != nil {
				t.Fatal(err)
			}
			s = opened(t, m, token)
			if !s.IsNew() && !bytes.Equal(data[:1], []byte{2}) {
				t.Fatal("what is not authentic opens")
			}
		}
		_, _, err := envelope.Parse(body)
		if s.IsNew() != (err != nil) && !s.Expired() {
			t.Fatalf("Parse = %v, but IsNew = %v", err, s.IsNew())
		}
		if s.IsNew() {
			if s.User() != "" || len(s.All()) != 0 {
				t.Fatalf("an empty session has user %q, data %v", s.User(), s.All())
			}
			return
		}
		all := s.All()
		s.Get("n")
		s.Get("in\\.f.g")
		s.Reflash()
		s.ExpiresAt()
		s.SetIdleTimeout(-1)
		s.SetLifetime(-1)
		s.Remove("f")
		s.Set("list", nil)
		s.Flash("fresh.f", 1)
		again := stored(t, m, s)
		if again.IsNew() || again.User() != "ada" || !again.Has("fresh.f") {
			t.Fatalf("stored again: user %q, data %v, before %v", again.User(), again.All(), all)
		}
		again.Clear()
		stored(t, m, again)
	})
}

// FuzzParseSecrets: what is accepted are secrets that New accepts too, and what is refused is never in the error.
func FuzzParseSecrets(f *testing.F) {
	encoded := base64.StdEncoding.EncodeToString(testSecret)
	for _, text := range []string{
		"base64:" + encoded, " base64:" + encoded + " , base64:" + encoded + "\n",
		"base64:" + base64.RawURLEncoding.EncodeToString(testSecret),
		"", ",", "base64:", encoded, "base64:hunter2hunter2hunter2hunter2hunter2hunter2hunter2",
		"base64:" + encoded[:20], "BASE64:" + encoded,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		secrets, err := session.ParseSecrets(text)
		if (err == nil) != (len(secrets) > 0) {
			t.Fatalf("%d secrets, %v", len(secrets), err)
		}
		if err != nil {
			for part := range strings.SplitSeq(text, ",") {
				if part = strings.TrimPrefix(strings.TrimSpace(part), "base64:"); len(part) > 12 &&
					strings.Contains(err.Error(), part) {
					t.Fatalf("the error shows the secret: %v", err)
				}
			}
			return
		}
		m, err := session.New(memstore.New(memstore.Options{}), session.Options{Secrets: secrets, SweepEvery: -1})
		if err != nil {
			t.Fatalf("New refuses what ParseSecrets accepts: %v", err)
		}
		m.Close()
		for _, s := range secrets {
			if len(s) < 32 || strings.Contains(fmt.Sprintf("%v %s %x %#v %q", s, s, s, s, s), string(s)) {
				t.Fatalf("a secret of %d bytes, or one that prints", len(s))
			}
		}
		again, err := session.ParseSecrets("base64:" + base64.StdEncoding.EncodeToString(secrets[0]))
		if err != nil || !bytes.Equal(again[0], secrets[0]) {
			t.Fatalf("the first secret does not come back: %v", err)
		}
	})
}
