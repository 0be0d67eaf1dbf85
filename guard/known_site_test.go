package guard_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// sentDevice is the cookie of the device in a response.
func sentDevice(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	var found *http.Cookie
	for _, c := range w.Result().Cookies() {
		if c.Name == deviceCookie && found != nil {
			t.Error("the cookie of the device is sent twice")
		}
		if c.Name == deviceCookie {
			found = c
		}
	}
	return found
}

// The cookie of the device must come where that of the session comes, or nobody is known in a frame of another site.
// It is no narrower: a link in a mail, which Strict keeps it from, may make a device known.
func TestTheCookieOfADeviceComesWhereTheSessionComes(t *testing.T) {
	for _, tt := range []struct {
		session     http.SameSite
		partitioned bool
		want        http.SameSite
	}{
		{0, false, http.SameSiteLaxMode},
		{http.SameSiteLaxMode, true, http.SameSiteLaxMode},
		{http.SameSiteStrictMode, false, http.SameSiteLaxMode},
		{http.SameSiteNoneMode, false, http.SameSiteNoneMode},
		{http.SameSiteNoneMode, true, http.SameSiteNoneMode},
	} {
		for name, transport := range map[string]session.Transport{
			"": nil, " beside a header": session.Transports(session.Header("X-Session"), nil),
		} {
			d := newDoor(t, guard.Options{}, func(o *session.Options) {
				o.Cookie.SameSite, o.Cookie.Partitioned, o.Transport = tt.session, tt.partitioned, transport
			})
			c := sentDevice(t, d.from(1).try(d, "ann", right))
			partitioned := tt.partitioned && tt.want == http.SameSiteNoneMode
			if c == nil || c.SameSite != tt.want || c.Partitioned != partitioned || !c.Secure || c.Path != "/" ||
				c.Domain != "" {
				t.Errorf("SameSite %d, Partitioned %v%s: the device's cookie is %v", tt.session, tt.partitioned, name,
					c)
			}
		}
	}
}

// A page of another site can make a browser send things, with the cookie of the device. These use up nothing of what
// its owner has.
func TestAnotherSiteLocksNobodyOutOfTheirDevice(t *testing.T) {
	trust := http.NewCrossOriginProtection()
	if err := trust.AddTrustedOrigin("https://partner.example.net"); err != nil {
		t.Fatal(err)
	}
	d := newDoor(t, guard.Options{CrossOrigin: trust}, func(o *session.Options) {
		o.Cookie.SameSite = http.SameSiteNoneMode
	})
	d.form = d.SignIn(func(r *http.Request) string { return r.FormValue("user") })(d.m.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			if r.PostFormValue("password") != right {
				w.WriteHeader(http.StatusUnprocessableEntity)
				return
			}
			s.Login(r.FormValue("user"))
		}))
	owner := d.from(1)
	owner.try(d, "ann", right)
	const elsewhere = "Sec-Fetch-Site: cross-site"
	for range 30 {
		owner.get(d.form, "/login?user=ann", elsewhere)
		owner.post(d.form, "/login", url.Values{"user": {"ann"}}, elsewhere, "Origin: https://evil.example")
		owner.post(d.form, "/login", url.Values{"user": {"ann"}}, "Origin: https://evil.example") // of an old browser
	}
	good := url.Values{"user": {"ann"}, "password": {right}}
	for i, header := range [][]string{
		{same, "Origin: " + site}, {"Sec-Fetch-Site: same-site"}, {},
		{elsewhere, "Origin: https://partner.example.net"},
	} {
		if w := owner.post(d.form, "/login", good, header...); w.Code != 200 {
			t.Errorf("the owner, by way %d: status %d", i, w.Code)
		}
	}
	if w := owner.post(d.form, "/login", good, elsewhere, "Origin: https://evil.example"); w.Code != 429 {
		t.Errorf("a guess of another site: status %d, want 429, as strangers get", w.Code)
	}
}

// Two managers of one host may share the secrets, and have other people behind the same names.
func TestADeviceIsKnownToOneManager(t *testing.T) {
	shop := newDoor(t, guard.Options{})
	staff := newDoor(t, guard.Options{}, func(o *session.Options) { o.Cookie.Name = "__Host-staff" })
	staff.wrong("ann", 0, 20)
	for i := range 5 {
		customer := shop.from(i)
		customer.try(shop, "ann", right)
		guesser := staff.from(100 + i)
		guesser.cookies[deviceCookie] = customer.cookies[deviceCookie]
		if w := guesser.try(staff, "ann", "wrong"); w.Code != 429 {
			t.Errorf("a customer of the name gets %d at the form of the staff, want 429", w.Code)
		}
	}
	both := staff.from(200)
	staff.clock.advance(24 * time.Hour)
	both.try(staff, "ann", right)
	inShop := at{shop.visitor(), both.address}
	inShop.cookies[deviceCookie] = both.cookies[deviceCookie]
	inShop.try(shop, "bob", right)
	both.cookies[deviceCookie] = inShop.cookies[deviceCookie]
	if !staff.knows(both, "ann") || !shop.knows(inShop, "bob") {
		t.Error("a sign-in at one form makes the device unknown to the other")
	}
}

// People have more than one name to sign in with, and one response can make all of them known.
func TestOneResponseMakesADeviceKnownToSeveralAccounts(t *testing.T) {
	d := newDoor(t, guard.Options{})
	owner := d.from(1)
	w := owner.get(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"ann", "bob"} {
			if err := d.KnowDevice(w, r, name); err != nil {
				t.Error(err)
			}
		}
	}), "/forgotten")
	if sentDevice(t, w) == nil || !d.knows(owner, "ann") || !d.knows(owner, "bob") {
		t.Errorf("after %v one of the two names is unknown", w.Header()["Set-Cookie"])
	}
	other := d.from(2)
	form := d.SignIn(byUser)(d.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Login("ann")
		if err := d.KnowDevice(w, r, "bob"); err != nil {
			t.Error(err)
		}
	}))
	d.clock.advance(48 * time.Hour)
	w = other.post(form, "/login", url.Values{"user": {"ann"}})
	if sentDevice(t, w) == nil || !d.knows(other, "ann") || !d.knows(other, "bob") {
		t.Errorf("after %v one of the two names is unknown", w.Header()["Set-Cookie"])
	}
}

func TestNoDeviceIsKnownToNobody(t *testing.T) {
	d := newDoor(t, guard.Options{})
	w := httptest.NewRecorder()
	err := d.KnowDevice(w, request("GET", "/"), "")
	if err == nil || !strings.Contains(err.Error(), "account") || len(w.Header()) != 0 {
		t.Errorf("KnowDevice without an account = %v, %v, want an error", err, w.Header())
	}
}
