package session_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/keys"
)

// No ticket with another bit, another length or another spelling verifies, and no record with another bit or length
// opens, sealed or not.
func TestEveryFlippedBitAndEveryTruncationFails(t *testing.T) {
	r := newRig(t)
	s, _ := r.Open(t.Context(), "")
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	good := s.Token()
	ring := keys.NewRing([][]byte{testSecret})
	refused := func(text string) {
		if _, _, err := keys.ParseTicket(text, ring, newName); !errors.Is(err, session.ErrMalformed) &&
			!errors.Is(err, session.ErrBadSignature) {
			t.Errorf("a ticket of %d characters: %v", len(text), err)
		}
	}
	for i := range len(good) {
		refused(good[:i])
		for bit := range 8 {
			refused(good[:i] + string([]byte{good[i] ^ 1<<bit}) + good[i+1:])
		}
	}
	for part := range 2 { // the bytes behind the text, whose last character holds two bits of nothing
		text := good[3+44*part:][:43]
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(raw) {
			raw[bit/8] ^= 1 << (bit % 8)
			refused(strings.Replace(good, text, base64.RawURLEncoding.EncodeToString(raw), 1))
			raw[bit/8] ^= 1 << (bit % 8)
		}
	}
	for _, seal := range []bool{false, true} {
		flipRecord(t, seal)
	}
}

func flipRecord(t *testing.T, seal bool) {
	sealing := func(o *session.Options) { o.Seal = seal }
	r := newRig(t, sealing)
	s, _ := r.Open(t.Context(), "")
	s.Login("ada")
	s.Set("x", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	rec, err := r.store.fullStore.Load(t.Context(), s.ID())
	if err != nil {
		t.Fatal(err)
	}
	forged := rec.Clone()
	reader := newRigOn(t, planted(t, forged), sealing)
	opens := func(data []byte) bool {
		forged.Data = data
		got, err := reader.Open(t.Context(), s.Token())
		return err == nil && (got.User() != "" || !got.IsNew() || got.Has("x"))
	}
	if !opens(rec.Data) {
		t.Fatal("the record itself does not open")
	}
	for i := range rec.Data {
		if opens(rec.Data[:i]) {
			t.Errorf("sealed %v: it opens when cut at %d", seal, i)
		}
		for bit := range 8 {
			changed := append([]byte(nil), rec.Data...)
			changed[i] ^= 1 << bit
			if opens(changed) {
				t.Errorf("sealed %v: it opens with bit %d of byte %d changed", seal, bit, i)
			}
		}
	}
	if opens(append(append([]byte(nil), rec.Data...), 0)) {
		t.Errorf("sealed %v: it opens with a byte more", seal)
	}
}

// What is authenticated together cannot be parted in another place.
func TestNothingSignedCanBePartedElsewhere(t *testing.T) {
	r := newRig(t)
	for _, c := range [][2]string{{"ab", "c"}, {"a", "bc"}, {"abc", ""}} {
		given := signed(t, r.Manager, &http.Cookie{Name: c[0], Value: c[1]})
		_, signature, _ := strings.Cut(given.Value, ".")
		for _, other := range [][2]string{{"ab", "Yw"}, {"a", "YmM"}, {"abc", ""}} {
			_, err := r.Signed(sending(&http.Cookie{Name: other[0], Value: other[1] + "." + signature}), other[0])
			if same := other[0] == c[0]; same != (err == nil) || !same && !errors.Is(err, session.ErrBadSignature) {
				t.Errorf("the signature of %q = %q under %q: %v", c[0], c[1], other[0], err)
			}
		}
	}
	s, _ := r.Open(t.Context(), "")
	s.Login("bc")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	rec, err := r.store.fullStore.Load(t.Context(), s.ID())
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"c", "abc", "b", "bc "} { // with bytes of the id before them, or the data behind them
		forged := rec.Clone()
		forged.User = user
		if got, _ := newRigOn(t, planted(t, forged)).Open(t.Context(), s.Token()); got.User() != "" {
			t.Errorf("a record of %q opens as %q", "bc", got.User())
		}
	}
}

// Whatever a client sends, a store is only ever asked for a hash of it, so that the time of its answer tells nothing.
func TestAStoreIsAskedForHashesOnly(t *testing.T) {
	r := newRig(t, renewing)
	hash := regexp.MustCompile(`^[0-9a-f]{64}$`)
	asked := 0
	r.store.hook(func(call, id string) error {
		if asked++; !hash.MatchString(id) {
			t.Errorf("%s is asked for %q", call, id)
		}
		return nil
	})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	v.with(put("x", 1))
	good := v.ticket()
	for _, value := range []string{good, good[3:], flip(good, 10), strings.ToUpper(good), "../../etc/passwd",
		strings.Repeat("a", 64), "*", ""} {
		r.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Get("x") },
			"__Host-Http-session="+value)
	}
	r.clock.advance(renewEvery)
	v.with((*session.Session).Logout)
	if asked < 5 {
		t.Errorf("the store was asked %d times", asked)
	}
}

// counting counts the reads of 32 bytes of randomness.
type counting struct {
	mu sync.Mutex
	io.Reader
	tickets int
}

func (c *counting) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(p) == 32 {
		c.tickets++
	}
	return c.Reader.Read(p)
}

// ASVS 7.2.3: every new id takes 32 bytes of its own from crypto/rand.
func TestEveryIDTakesItsOwnRandomness(t *testing.T) {
	r := newRig(t)
	source := &counting{Reader: rand.Reader}
	rand.Reader = source
	defer func() { rand.Reader = source.Reader }()
	for want := 1; want <= 100; want++ {
		s, _ := r.Open(t.Context(), "")
		s.Set("x", 1)
		if err := s.Save(t.Context()); err != nil || source.tickets != want {
			t.Fatalf("session %d: %v, %d tickets were drawn", want, err, source.tickets)
		}
	}
}

// Requests that run at the same time share nothing, whatever is kept for the next use.
func TestRequestsShareNoState(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Seal = true })
	var wg sync.WaitGroup
	for i := range 32 {
		v := r.visitor()
		name := fmt.Sprint("visitor ", i)
		v.with(func(s *session.Session) { s.Login(name); s.Set("name", name) })
		wg.Go(func() {
			for n := range 50 {
				v.with(func(s *session.Session) {
					if s.User() != name || s.Get("name") != name || n > 0 && s.Get("n") != int64(n-1) ||
						len(s.All()) > 2 {
						t.Errorf("%s sees %q, %v", name, s.User(), s.All())
					}
					s.Set("n", n)
				})
			}
		})
	}
	wg.Wait()
}
