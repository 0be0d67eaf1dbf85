package devicebound_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessiontest"
)

// A binding is data of the session, whatever keeps it: in files, and in the cookie itself.
func TestABindingHoldsOnOtherStores(t *testing.T) {
	files, err := filestore.New(t.TempDir(), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	carried, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	final, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]session.Store{
		"filestore": files, "cookiestore": carried, "cookiestore with revocations": final,
	} {
		c := &clock{t: noon}
		m, err := session.New(store, session.Options{
			Secrets: []session.Secret{secret}, Now: c.now, SweepEvery: -1, RenewEvery: 15 * time.Minute,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		s := &site{t: t, m: m, clock: c}
		if s.Binder, err = devicebound.New(m, devicebound.Options{Policy: devicebound.Enforce}); err != nil {
			t.Fatal(err)
		}
		s.h = s.Middleware(m.HandlerFunc(pages["/"]))
		login := sessiontest.NewBrowser(t, m.Now, s.Middleware(m.HandlerFunc(pages["/login-here"])))
		login.Get("/")
		if len(login.Sessions()) != 1 {
			t.Fatalf("%s: the browser has %q", name, login.Sessions())
		}
		thief := s.browser()
		carry(login, thief)
		wantPage(t, thief.Get("/"), "ada bound")
		for range 3 {
			c.advance(12 * time.Minute)
			login.Refresh()
			carry(login, thief)
			wantPage(t, thief.Get("/"), "ada bound")
		}
		c.advance(12 * time.Minute)
		wantPage(t, thief.Get("/"), " none")
		again := sessiontest.NewBrowser(t, m.Now, s.Middleware(m.HandlerFunc(pages["/login-here"])))
		again.Deaf = true // it has lost the key
		again.SetCookie(ticketCookie, login.Cookie(ticketCookie))
		wantPage(t, again.Get("/"), "ada none") // the offer comes with the answer
		after := s.browser()
		carry(again, after)
		wantPage(t, after.Get("/"), "ada pending")
	}
}
