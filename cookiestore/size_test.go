package cookiestore_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// largest is the longest value that a session of that manager stores.
func largest(t *testing.T, r *rig) (n int, v *visitor) {
	t.Helper()
	low, high := 0, 40000
	for low+1 < high {
		n = (low + high) / 2
		if v = r.visitor(); v.with(set("x", noise(n))).StatusCode == 200 {
			low = n
		} else {
			high = n
		}
	}
	v = r.visitor()
	v.with(set("x", noise(low)))
	return low, v
}

// ASVS 3.3.5: name and value of a cookie have 4096 bytes, and no more. The length of sealed text comes in steps of 4/3,
// so names of several lengths are tried until one meets the limit exactly.
func TestACookieFillsItsLimitAndNoMore(t *testing.T) {
	exact := false
	for _, name := range []string{"s", "se", "ses", "sess"} {
		r := newRig(t, cookiestore.Options{}, func(o *session.Options) { o.Cookie.Name = name })
		_, v := largest(t, r)
		size := len(name) + len(v.cookies()[name])
		if size > 4096 || size < 4096-1 {
			t.Errorf("the largest cookie has %d bytes of name and value", size)
		}
		exact = exact || size == 4096
	}
	if !exact {
		t.Error("no name met the limit exactly")
	}
}

// What does not fit is ErrTooLarge, tells no value, and leaves the browser with the cookie it had.
func TestWhatDoesNotFitLeavesTheOldCookie(t *testing.T) {
	for _, opts := range []cookiestore.Options{{}, {MaxChunks: 2}, {Compress: true}} {
		var failed error
		r := newRig(t, opts, func(o *session.Options) {
			o.OnError = func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err }
		})
		v := r.visitor()
		v.with(set("x", 1))
		before := v.cookies()
		resp := v.with(func(s *session.Session) { s.Set("y", noise(4096*max(opts.MaxChunks, 1))) })
		if resp.StatusCode != 500 || !errors.Is(failed, session.ErrTooLarge) ||
			strings.Contains(fmt.Sprint(failed), noise(20)) {
			t.Errorf("status %d, error %v", resp.StatusCode, failed)
		}
		if len(resp.Cookies()) != 0 || fmt.Sprint(v.cookies()) != fmt.Sprint(before) {
			t.Errorf("the response sent %d cookies", len(resp.Cookies()))
		}
		v.wants("x", int64(1))
	}
}

// A large session fills several cookies, each within the limit; one that shrinks, or ends, leaves none behind.
func TestALargeSessionIsCutAndCleanedUp(t *testing.T) {
	r := newRig(t, cookiestore.Options{MaxChunks: 4})
	v := r.visitor()
	want := 0
	for _, n := range []int{10, 4000, 8500, 11000, 4000, 10, 11500} {
		resp := v.with(set("x", noise(n)))
		want = (n*4/3+300)/4096 + 1
		for _, line := range resp.Header["Set-Cookie"] {
			pair, _, _ := strings.Cut(line, ";")
			name, value, _ := strings.Cut(pair, "=")
			if len(name)+len(value) > 4096 {
				t.Errorf("cookie %s has %d bytes", name, len(name)+len(value))
			}
		}
		if got := len(v.cookies()); got != want {
			t.Errorf("%d bytes are in %d cookies, want %d", n, got, want)
		}
		v.wants("x", noise(n))
	}
	resp := v.with((*session.Session).Logout)
	if len(v.cookies()) != 0 || len(resp.Cookies()) != 4 {
		t.Errorf("after a logout there are %d cookies; the response named %d, want all four", len(v.cookies()),
			len(resp.Cookies()))
	}
}

// A chunk that a response set after this request was sent goes with the logout too.
func TestLogoutDeletesChunksThatItDidNotSee(t *testing.T) {
	r := newRig(t, cookiestore.Options{MaxChunks: 3})
	v := r.visitor()
	v.with(set("x", 1))
	early := v.request()
	v.with(set("x", noise(8000)))
	v.send(early, func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Logout() })
	if got := v.cookies(); len(got) != 0 {
		t.Errorf("%d cookies are left", len(got))
	}
}

// The count is checked before anything is looked for, and chunks that are missing, doubled, swapped or of another write
// do not make a session.
func TestChunksThatDoNotBelongTogetherAreRefused(t *testing.T) {
	r := newRig(t, cookiestore.Options{MaxChunks: 3})
	v, other := r.visitor(), r.visitor()
	v.with(set("x", noise(8000)))
	other.with(set("x", noise(8100)))
	const name = "__Host-Http-session"
	mine, theirs := v.cookies(), other.cookies()
	if len(mine) != 3 || len(theirs) != 3 {
		t.Fatalf("%d and %d cookies", len(mine), len(theirs))
	}
	rest := mine[name][2:]
	header := func(first, one, two string) string {
		return name + "=" + first + "; " + name + ".1=" + one + "; " + name + ".2=" + two
	}
	whole := header(mine[name], mine[name+".1"], mine[name+".2"])
	for what, line := range map[string]string{
		"missing":       name + "=" + mine[name] + "; " + name + ".1=" + mine[name+".1"],
		"only the last": name + ".2=" + mine[name+".2"],
		"swapped":       header(mine[name], mine[name+".2"], mine[name+".1"]),
		"of another":    header(mine[name], theirs[name+".1"], mine[name+".2"]),
		"doubled":       whole + "; " + name + ".1=" + mine[name+".1"],
		"doubled first": whole + "; " + name + "=" + mine[name],
		"count 0":       header("0."+rest, mine[name+".1"], mine[name+".2"]),
		"count 1":       header("1."+rest, mine[name+".1"], mine[name+".2"]),
		"count 2":       header("2."+rest, mine[name+".1"], mine[name+".2"]),
		"count 4":       header("4."+rest, mine[name+".1"], mine[name+".2"]),
		"count 9":       header("9."+rest, mine[name+".1"], mine[name+".2"]),
		"huge count":    header("999999."+rest, mine[name+".1"], mine[name+".2"]),
		"no count":      header("."+rest, mine[name+".1"], mine[name+".2"]),
		"uncounted":     header(rest, mine[name+".1"], mine[name+".2"]),
		"only a count":  header("3.", "", ""),
		"a long chunk":  header(mine[name], mine[name+".1"]+strings.Repeat("A", 4096), mine[name+".2"]),
	} {
		if s := r.sees(line); s.Has("x") || !s.IsNew() {
			t.Errorf("%s: the session opens", what)
		}
	}
	if s := r.sees(whole); s.Get("x") != noise(8000) {
		t.Error("the whole session does not open")
	}
}

// sees is the session of a request with that Cookie header.
func (r *rig) sees(cookies string) *session.Session {
	r.t.Helper()
	v := r.visitor()
	req := v.request()
	req.Header.Set("Cookie", cookies)
	var seen *session.Session
	v.send(req, func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { seen = s })
	return seen
}

// Cookies of chunks are the session's own: the application can neither set nor delete them as signed cookies.
func TestChunksAreNotForTheApplication(t *testing.T) {
	r := newRig(t, cookiestore.Options{MaxChunks: 2})
	for _, name := range []string{"__Host-Http-session", "__Host-Http-session.1"} {
		if err := r.SetSigned(nil, &http.Cookie{Name: name, Value: "x"}); err == nil {
			t.Errorf("SetSigned accepts %s", name)
		}
	}
}

// Compression happens only when the options say so, because the length of a cookie would tell what stands beside a text
// that somebody else chose.
func TestCompressionIsForThoseWhoAskForIt(t *testing.T) {
	size := func(opts cookiestore.Options, text string) int {
		v := newRig(t, opts).visitor()
		v.with(func(s *session.Session) { s.Set("secret", "token=7f3a91"); s.Set("chosen", text) })
		return len(v.cookies()["__Host-Http-session"])
	}
	right, wrong := strings.Repeat("token=7f3a91", 20), strings.Repeat("token=0b52cc", 20)
	if a, b := size(cookiestore.Options{}, right), size(cookiestore.Options{}, wrong); a != b {
		t.Errorf("%d and %d bytes: the length tells what is inside", a, b)
	}
	a, b := size(cookiestore.Options{Compress: true}, right), size(cookiestore.Options{Compress: true}, wrong)
	if plain := size(cookiestore.Options{}, right); a >= plain || a >= b {
		t.Errorf("compressed: %d bytes for a right guess, %d for a wrong one, %d plain", a, b, plain)
	}
}

// A small text that unpacks to a huge one is refused at the limit; a torn one is an error.
func TestUnpackingIsBounded(t *testing.T) {
	store, _ := cookiestore.New(cookiestore.Options{Compress: true})
	bomb := store.Pack(make([]byte, 8<<20))
	if len(bomb) > 100<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	got, err := store.Unpack(bomb, 1<<20)
	if err == nil || got != nil {
		t.Errorf("Unpack = %d bytes, %v", len(got), err)
	}
	if got, err := store.Unpack(bomb, 8<<20); err != nil || len(got) != 8<<20 {
		t.Errorf("at the limit: %d bytes, %v", len(got), err)
	}
	packed := store.Pack([]byte(strings.Repeat("tea ", 100)))
	for n := 1; n < len(packed); n++ {
		if got, err := store.Unpack(packed[:n], 1<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %d bytes, %v", n, len(got), err)
		}
	}
	if got, err := store.Unpack(nil, 1); err != nil || len(got) != 0 {
		t.Errorf("nothing: %q, %v", got, err)
	}
	if short := []byte{1, 2, 3}; len(store.Pack(short)) != 3 {
		t.Error("what does not become shorter is packed")
	}
}

// Switching compression on or off loses no session.
func TestCompressionCanBeSwitched(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	packing := r.manager(cookiestore.Options{Compress: true}, r.opts)
	v := r.visitor()
	v.with(set("x", strings.Repeat("tea ", 100)))
	v.on(packing).with(set("y", 1))
	small := len(v.cookies()["__Host-Http-session"])
	v.wants("x", strings.Repeat("tea ", 100))
	v.with(set("y", 2))
	if large := len(v.cookies()["__Host-Http-session"]); small >= large {
		t.Errorf("%d bytes packed, %d plain", small, large)
	}
}

// The cookie of a small session is small too: every request carries it.
func TestASmallSessionHasASmallCookie(t *testing.T) {
	v := newRig(t, cookiestore.Options{}).visitor()
	v.with(func(s *session.Session) {
		s.Login("user-4711")
		s.Set("name", "Ada Lovelace")
		s.Set("visits", 42)
		s.Set("theme", "dark")
		s.Set("cart", []string{"sku-1001", "sku-1002"})
	})
	size := len("__Host-Http-session=") + len(v.cookies()["__Host-Http-session"])
	t.Logf("%d bytes", size)
	if size > 400 {
		t.Errorf("the cookie has %d bytes, want at most 400", size)
	}
}

// Every piece has the attributes of the cookie, when it is set and when it is deleted, so that browsers do both.
func TestEveryPieceHasTheAttributesOfTheCookie(t *testing.T) {
	r := newRig(t, cookiestore.Options{MaxChunks: 3}, func(o *session.Options) {
		o.Cookie = session.Cookie{Name: "s", Domain: "example.com", SameSite: http.SameSiteNoneMode, Partitioned: true,
			Persistent: true}
	})
	v := r.visitor()
	for _, resp := range []*http.Response{v.with(set("x", noise(8000))), v.with((*session.Session).Logout)} {
		if n := len(resp.Cookies()); n != 3 {
			t.Fatalf("%d cookies", n)
		}
		for _, c := range resp.Cookies() {
			if c.Domain != "example.com" || c.Path != "/" || !c.Secure || !c.HttpOnly ||
				c.SameSite != http.SameSiteNoneMode || !c.Partitioned || c.MaxAge == 0 {
				t.Errorf("cookie %s has other attributes, max-age %d", c.Name, c.MaxAge)
			}
		}
	}
}
