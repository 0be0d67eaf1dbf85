package sessiontest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/coatcheck/session/internal/dbsc"
)

// Proof is what a browser is about to sign, to be changed by one that lies.
type Proof struct {
	Header, Claims map[string]any    // the parts of the JWT
	Key            *ecdsa.PrivateKey // that signs it
	Refresh        bool              // of a key that is registered
}

// offer is a registration that a response offered.
type offer struct{ path, challenge string }

// boundSession is a session as the browser knows it.
type boundSession struct {
	id         string
	key        *ecdsa.PrivateKey
	refreshURL string
	challenge  string
	cookies    []string
	excluded   []string
	initiators []string
}

// Sessions are the names of the device-bound sessions that the browser has.
func (b *Browser) Sessions() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for _, s := range b.bound {
		ids = append(ids, s.id)
	}
	return ids
}

// takeOffers notes what may be registered. It is called with the lock held.
func (b *Browser) takeOffers(from *url.URL, h http.Header) {
	list, err := dbsc.List(h[dbsc.Registration])
	if err != nil {
		b.t.Errorf("sessiontest: %s: %v", dbsc.Registration, err)
	}
	for _, m := range list {
		path, ok := m.Params["path"].(string)
		challenge, _ := m.Params["challenge"].(string)
		if to, err := from.Parse(path); ok && err == nil && slices.Contains(m.Inner, any(dbsc.Token(dbsc.ES256))) {
			b.offers = append(b.offers, offer{to.String(), challenge})
		}
	}
}

// takeChallenges keeps those of sessions that it has. It is called with the lock held.
func (b *Browser) takeChallenges(h http.Header) {
	list, err := dbsc.List(h[dbsc.Challenge])
	if err != nil {
		b.t.Errorf("sessiontest: %s: %v", dbsc.Challenge, err)
	}
	for _, m := range list {
		text, ok := m.Value.(string)
		for _, s := range b.bound {
			if ok && m.Params["id"] == s.id {
				s.challenge = text
			}
		}
	}
}

// Register makes the registrations that were offered.
func (b *Browser) Register() {
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	b.mu.Lock()
	offers := b.offers
	b.offers = nil
	b.mu.Unlock()
	for _, o := range offers {
		b.register(o)
	}
}

func (b *Browser) register(o offer) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.t.Fatalf("sessiontest: a key: %v", err)
	}
	r := b.protocolRequest(o.path)
	r.Header.Set(dbsc.Response, b.text(b.signed(&Proof{
		Header: map[string]any{"alg": dbsc.ES256, "typ": "dbsc+jwt", "jwk": jwkOf(key)},
		Claims: map[string]any{"jti": o.challenge}, Key: key,
	})))
	resp, err := b.protocolExchange(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return
	}
	s := &boundSession{key: key, refreshURL: o.path}
	if s.configure(r.URL, resp) {
		b.mu.Lock()
		b.bound = append(b.bound, s)
		b.takeChallenges(resp.Header)
		b.mu.Unlock()
	}
}

func (b *Browser) protocolRequest(address string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, address, nil)
	r.RequestURI = ""
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "no-cors")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	r.Header.Set("Origin", b.site)
	return r
}

func (b *Browser) protocolExchange(r *http.Request) (*http.Response, error) {
	if b.Alter != nil {
		b.Alter(r)
	}
	return b.exchange(r)
}

// text is a structured string.
func (b *Browser) text(text string) string {
	if b.Quoted {
		return dbsc.Quote(text)
	}
	return text
}

func jwkOf(key *ecdsa.PrivateKey) map[string]any {
	raw, _ := key.PublicKey.Bytes() // of a key that was just made
	return map[string]any{"kty": "EC", "crv": "P-256", "x": dbsc.Encode(raw[1:33]), "y": dbsc.Encode(raw[33:])}
}

// signed is the text of a proof.
func (b *Browser) signed(p *Proof) string {
	if b.Proof != nil {
		b.Proof(p)
	}
	header, _ := json.Marshal(p.Header) // of what a test put there
	claims, _ := json.Marshal(p.Claims)
	text := dbsc.Encode(header) + "." + dbsc.Encode(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.Key, sum[:])
	if err != nil {
		b.t.Fatalf("sessiontest: sign: %v", err)
	}
	var raw [64]byte
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return text + "." + dbsc.Encode(raw[:])
}

// instructions are what a server says of a session.
type instructions struct {
	ID         string   `json:"session_identifier"`
	RefreshURL string   `json:"refresh_url"`
	Continue   *bool    `json:"continue"`
	Initiators []string `json:"allowed_refresh_initiators"`
	Scope      *struct {
		IncludeSite *bool                                 `json:"include_site"`
		Rules       []struct{ Type, Domain, Path string } `json:"scope_specification"`
	} `json:"scope"`
	Credentials []struct{ Type, Name, Attributes string } `json:"credentials"`
}

// configure takes instructions over. It reports whether the session goes on.
func (s *boundSession) configure(from *url.URL, resp *http.Response) bool {
	body, err := io.ReadAll(resp.Body)
	if err == nil && s.id != "" && len(body) == 0 {
		return true
	}
	var i instructions
	if err != nil || json.Unmarshal(body, &i) != nil || i.Continue != nil && !*i.Continue || i.ID == "" ||
		s.id != "" && s.id != i.ID || i.Scope == nil || i.Scope.IncludeSite == nil || len(i.Credentials) == 0 {
		return false
	}
	s.id, s.initiators, s.cookies, s.excluded = i.ID, i.Initiators, nil, nil
	if to, err := from.Parse(i.RefreshURL); i.RefreshURL != "" && err == nil {
		s.refreshURL = to.String()
	}
	for _, c := range i.Credentials {
		s.cookies = append(s.cookies, c.Name)
	}
	for _, rule := range i.Scope.Rules {
		if rule.Type == "exclude" {
			s.excluded = append(s.excluded, rule.Path)
		}
	}
	return true
}

// covers reports whether a request waits for the cookies of the session.
func (s *boundSession) covers(r *http.Request) bool {
	path := r.URL.Path
	if r.URL.String() == s.refreshURL || slices.ContainsFunc(s.excluded, func(p string) bool {
		return path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/")
	}) {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "cross-site" && site != "same-site" || slices.Contains(s.initiators, "*")
}

// prove shows the keys of sessions whose cookies the request lacks, and says of which it did not.
func (b *Browser) prove(r *http.Request) {
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	for _, s := range b.lacking(r) {
		if why := b.refresh(s); why != "" {
			r.Header.Add(dbsc.Skipped, why+";session_identifier="+dbsc.Quote(s.id))
		}
	}
}

func (b *Browser) lacking(r *http.Request) (list []*boundSession) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.bound {
		missing := slices.ContainsFunc(s.cookies, func(name string) bool { return b.cookie(name) == nil })
		if missing && s.covers(r) {
			list = append(list, s)
		}
	}
	return list
}

// Refresh shows the keys of all sessions now, as a browser may do at any time.
func (b *Browser) Refresh() {
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	b.mu.Lock()
	all := slices.Clone(b.bound)
	b.mu.Unlock()
	for _, s := range all {
		b.refresh(s)
	}
}

// refresh shows the key of one session, and returns why it could not, "" when that is settled.
func (b *Browser) refresh(s *boundSession) (skipped string) {
	for range 5 {
		resp, err := b.protocolExchange(b.refreshRequest(s))
		switch {
		case err != nil:
			return "unreachable"
		case resp.StatusCode == http.StatusForbidden && resp.Header.Get(dbsc.Challenge) != "":
			continue
		case resp.StatusCode == http.StatusOK:
			if b.mu.Lock(); !s.configure(resp.Request.URL, resp) {
				b.bound = slices.DeleteFunc(b.bound, func(one *boundSession) bool { return one == s })
			}
			b.mu.Unlock()
			return ""
		case resp.StatusCode >= 500 || resp.StatusCode < 400 || resp.StatusCode == http.StatusTooManyRequests ||
			resp.StatusCode == http.StatusProxyAuthRequired:
			return "server_error"
		}
		b.mu.Lock()
		b.bound = slices.DeleteFunc(b.bound, func(one *boundSession) bool { return one == s })
		b.mu.Unlock()
		return ""
	}
	return "quota_exceeded"
}

func (b *Browser) refreshRequest(s *boundSession) *http.Request {
	b.mu.Lock()
	challenge, r := s.challenge, b.protocolRequest(s.refreshURL)
	b.mu.Unlock()
	r.Header.Set(dbsc.SessionID, b.text(s.id))
	if challenge != "" {
		r.Header.Set(dbsc.Response, b.text(b.signed(&Proof{
			Header: map[string]any{"alg": dbsc.ES256, "typ": "dbsc+jwt"},
			Claims: map[string]any{"jti": challenge}, Key: s.key, Refresh: true,
		})))
	}
	return r
}
