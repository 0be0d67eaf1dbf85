package guard

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// formSecret is the key of a signed-in session's tokens, which goes with the next Login.
const formSecret = session.Key[string](envelope.FormSecret)

// tokenEncoding has one spelling for every token.
var tokenEncoding = base64.RawURLEncoding.Strict()

// forms is what the tokens of one manager's visitors need.
type forms struct {
	prefix string // of the names of cookies, "__Host-" unless they are insecure
	cookie string // the name of the cookie that a visitor has who is not signed in
}

// newForms finds out whether cookies of this manager can have the prefix that keeps sibling hosts from planting them.
func newForms(m *session.Manager) (forms, error) {
	probe := headers{}
	if err := m.SetSigned(probe, &http.Cookie{Name: "csrf", Path: "/"}); err != nil {
		return forms{}, fmt.Errorf("guard: the cookie for forms: %w", err)
	}
	if strings.Contains(http.Header(probe).Get("Set-Cookie"), "; Secure") {
		return forms{"__Host-", "__Host-csrf"}, nil
	}
	return forms{"", "csrf"}, nil
}

// headers is a response of which only the headers matter.
type headers http.Header

func (h headers) Header() http.Header         { return http.Header(h) }
func (h headers) Write(p []byte) (int, error) { return len(p), nil }
func (h headers) WriteHeader(int)             {}

// token returns a token that holds for the visitor as they are now, "" when that cannot be known.
func (f *form) token() string {
	sum, err := f.sum(true)
	if err != nil {
		return ""
	}
	f.w.Header().Set("Cache-Control", "no-store")
	return mask(sum)
}

// checkToken wants a token that holds for the visitor.
func (f *form) checkToken() error {
	text := f.r.Header.Get(CSRFHeader)
	if text == "" {
		text = formField(f.r, CSRFFormField)
	}
	if text == "" {
		return fromNowhere
	}
	got, ok := unmask(text)
	if !ok {
		return badToken
	}
	want, err := f.sum(false)
	switch {
	case errors.Is(err, errNoKey):
		return badToken
	case err != nil:
		return err
	case subtle.ConstantTimeCompare(got[:], want[:]) != 1:
		return badToken
	}
	return nil
}

var errNoKey = errors.New("guard: the visitor has no key for forms")

// sum is what a token holds, unmasked: bound to the session, the user and the time of the Login.
func (f *form) sum(create bool) ([sha256.Size]byte, error) {
	s, err := f.g.m.Load(f)
	switch {
	case errors.Is(err, session.ErrNoMiddleware): // Options.Skip: nobody is signed in here
	case err != nil:
		return [sha256.Size]byte{}, err
	case s.User() != "":
		secret, err := f.g.secret(f, s, create)
		return sum([]byte(secret), s.User(), strconv.FormatInt(s.LoginAt().UnixMicro(), 10)), err
	}
	key, err := f.visitorKey(create)
	return sum(key, "", ""), err
}

func sum(key []byte, user, login string) (out [sha256.Size]byte) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("coatcheck form token\x00" + user + "\x00" + login))
	mac.Sum(out[:0])
	return out
}

// secret returns the key of a signed-in session. A new one is stored at once, so that two pages that are made at the
// same time agree on one; and through another copy of the session, so that nothing is stored that the handler has not
// finished.
func (g *Guard) secret(ctx context.Context, s *session.Session, create bool) (string, error) {
	if secret := formSecret.Or(s, ""); secret != "" {
		return secret, nil
	}
	if !create {
		return "", errNoKey
	}
	fresh := rand.Text() + rand.Text()
	first := func(old string) string { return cmp.Or(old, fresh) }
	ticket := s.Token()
	if ticket == "" || s.Proved() { // it begins with this request, or a Login takes along what is stored
		formSecret.Update(s, first)
		return formSecret.Or(s, ""), s.Err()
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	stored, err := g.m.Open(ctx, ticket)
	switch {
	case err != nil:
		return "", err
	case stored.IsNew():
		return "", session.ErrEnded
	}
	formSecret.Update(stored, first)
	before := stored.Token()
	if err := stored.Save(ctx); err != nil {
		return "", err
	}
	secret := formSecret.Or(stored, "")
	if stored.Token() != before { // the session travels in its ticket, and only this request can send a new one
		formSecret.Set(s, secret)
	}
	return secret, nil
}

// visitorKey returns the key that a visitor has in a cookie, and sends the cookie if there is none and create is set.
func (f *form) visitorKey(create bool) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.visitor != nil {
		return f.visitor, nil
	}
	if key, err := f.g.m.Signed(f.r, f.g.forms.cookie); err == nil && key != "" {
		f.visitor = []byte(key)
		return f.visitor, nil
	}
	if !create {
		return nil, errNoKey
	}
	key := rand.Text() + rand.Text()
	err := f.g.m.SetSigned(f.w, &http.Cookie{
		Name: f.g.forms.cookie, Value: key, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	if err != nil {
		return nil, err
	}
	f.visitor = []byte(key)
	return f.visitor, nil
}

// mask hides the sum behind a random pad, which comes first: a page that is compressed with a guess of the attacker's
// in it (BREACH) tells nothing of a text that changes every time.
func mask(sum [sha256.Size]byte) string {
	var token [2 * sha256.Size]byte
	_, _ = rand.Read(token[:sha256.Size]) // never fails: crypto/rand ends the program first
	subtle.XORBytes(token[sha256.Size:], token[:sha256.Size], sum[:])
	return tokenEncoding.EncodeToString(token[:])
}

func unmask(text string) (sum [sha256.Size]byte, ok bool) {
	var token [2 * sha256.Size]byte
	if len(text) != tokenEncoding.EncodedLen(len(token)) || strings.ContainsAny(text, "\r\n") {
		return sum, false
	}
	if n, err := tokenEncoding.Decode(token[:], []byte(text)); err != nil || n != len(token) {
		return sum, false
	}
	subtle.XORBytes(sum[:], token[:sha256.Size], token[sha256.Size:])
	return sum, true
}
