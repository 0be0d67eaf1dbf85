package experiment

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"github.com/coatcheck/session/internal/dbsc"
)

// device is what a browser needs that binds sessions, as Chrome does: a key that nobody can copy.
type device struct {
	key       *ecdsa.PrivateKey
	id        string // of the session, by the name that the site has for it
	refresh   string // where the site wants proofs
	challenge string // for the next one
	until     time.Time
}

// withKeys makes it a browser that binds sessions.
func (b *browser) withKeys() *browser {
	b.device = &device{}
	return b
}

// take does what a response says of the key.
func (b *browser) take(ctx context.Context, h http.Header) {
	offers, err := dbsc.List(h[dbsc.Registration])
	if b.device == nil || err != nil || len(offers) != 1 {
		return
	}
	path, _ := offers[0].Params["path"].(string)
	challenge, _ := offers[0].Params["challenge"].(string)
	if b.device.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		b.stage.err = err
		return
	}
	b.show(ctx, "registers its key, by itself", path, b.device.sign(challenge, true))
}

// prove shows the key when the bound cookie is about to end, before the request that needs it.
func (b *browser) prove(ctx context.Context) {
	d := b.device
	if d == nil || d.id == "" || b.stage.clock.now().Before(d.until) {
		return
	}
	if !b.show(ctx, "is asked for its key, by itself", d.refresh, "") {
		b.show(ctx, "shows its key, by itself", d.refresh, d.sign(d.challenge, false))
	}
}

// show sends a proof, or asks for a challenge without one. It reports whether the session is bound for a while.
func (b *browser) show(ctx context.Context, what, path, proof string) bool {
	step, number := b.stage.add(nil, b.name, what)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.stage.url+path, nil)
	if err != nil {
		b.stage.err = err
		return false
	}
	req.Header.Set(stepHeader, number)
	if b.device.id != "" {
		req.Header.Set(dbsc.SessionID, b.device.id)
	}
	if proof != "" {
		req.Header.Set(dbsc.Response, proof)
	}
	text, h := b.exchange(req)
	challenges, err := dbsc.List(h[dbsc.Challenge])
	if err == nil && len(challenges) == 1 {
		b.device.challenge, _ = challenges[0].Value.(string)
	}
	bound := b.device.follow(text)
	if bound {
		b.device.until = b.stage.clock.now().Add(boundFor)
	}
	b.stage.mu.Lock()
	defer b.stage.mu.Unlock()
	step.note.Says = map[bool]string{true: "bound", false: "show me"}[bound]
	return bound
}

// follow takes the instructions of the site over. It reports whether there are any.
func (d *device) follow(text string) bool {
	var says struct {
		ID      string `json:"session_identifier"`
		Refresh string `json:"refresh_url"`
	}
	if json.Unmarshal([]byte(text), &says) != nil || says.ID == "" {
		return false
	}
	d.id, d.refresh = says.ID, says.Refresh
	return true
}

// sign is a proof of the key, which comes along when it is new.
func (d *device) sign(challenge string, fresh bool) string {
	header := map[string]any{"alg": dbsc.ES256, "typ": "dbsc+jwt"}
	if raw, err := d.key.PublicKey.Bytes(); fresh && err == nil {
		header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": dbsc.Encode(raw[1:33]),
			"y": dbsc.Encode(raw[33:])}
	}
	head, _ := json.Marshal(header) // maps of texts encode
	claims, _ := json.Marshal(map[string]string{"jti": challenge})
	text := dbsc.Encode(head) + "." + dbsc.Encode(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, d.key, sum[:])
	if err != nil {
		return ""
	}
	var raw [64]byte
	return text + "." + dbsc.Encode(append(r.FillBytes(raw[:32]), s.FillBytes(raw[32:])...))
}
