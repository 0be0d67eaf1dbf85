package passkey_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// FuzzAnswer sends hostile answers to challenges that wait. Nobody gets in by one, and nothing panics. A body that is
// empty is made of the other parts; CHALLENGE stands for the challenge, so that what is behind it is reached.
func FuzzAnswer(f *testing.F) {
	st := newSite(f)
	d := st.registered("ada")
	genuine := func(kind string) string { return string(d.says(f, kind, "CHALLENGE")) }
	f.Add("{}", "", []byte{}, []byte{}, []byte{}, uint8(0))
	f.Add("null", "", []byte{}, []byte{}, []byte{}, uint8(1))
	f.Add(strings.Repeat(`{"response":`, 100), "", []byte{}, []byte{}, []byte{}, uint8(2))
	f.Add("", genuine("webauthn.get"), d.data(0), []byte("0"), d.handle, uint8(0))
	f.Add("", genuine("webauthn.get"), d.data(0), []byte{}, d.handle, uint8(1))
	f.Add("", genuine("webauthn.create"), d.object(f), []byte{}, d.handle, uint8(2))
	f.Fuzz(func(t *testing.T, body, said string, data, signature, handle []byte, which uint8) {
		st.t = t
		what := []string{"sign-in", "confirm", "register"}[which%3]
		b := st.browser()
		if what != "sign-in" {
			b.do("login=ada")
		}
		o := b.begin(what, "{}")
		if body == "" {
			body = d.credential(t, map[string]any{
				"clientDataJSON":    b64([]byte(strings.ReplaceAll(said, "CHALLENGE", o.PublicKey.Challenge))),
				"authenticatorData": b64(data), "attestationObject": b64(data), "signature": b64(signature),
				"userHandle": b64(handle), "transports": []string{string(signature)},
			})
		}
		got := b.finish(what, body)
		if got.status >= 500 || got.status < 400 && what != "register" {
			t.Errorf("%s: status %d: %s", what, got.status, got.body)
		}
		if got.status >= 400 && !json.Valid([]byte(got.body)) {
			t.Errorf("%s: status %d with %q", what, got.status, got.body)
		}
		if who := b.send(http.MethodGet, "/who", "").body; strings.Contains(who, "webauthn") {
			t.Errorf("%s: %s", what, who)
		}
		st.forget(b)
	})
}

// forget removes what an input has left, so that the next one is alone.
func (st *site) forget(b *browser) {
	b.do("logout=1")
	st.mu.Lock()
	defer st.mu.Unlock()
	st.events = nil
}
