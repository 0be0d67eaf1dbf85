package guard_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/coatcheck/session"
)

// link is a sign-in by a link from a mail, to an account that has several names.
func (p *porch) link(signIn func(*http.Request, *session.Session) error, names ...string) http.Handler {
	return p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		for _, name := range names {
			if err := p.KnowDevice(w, r, name); err != nil {
				p.t.Error(err)
			}
		}
		if err := signIn(r, s); err != nil {
			p.m.Fail(w, r, err)
		}
	})
}

// linkings are the ways in which a link signs in.
var linkings = map[string]func(*http.Request, *session.Session) error{
	"at the end": func(_ *http.Request, s *session.Session) error { return s.TryLogin("ann") },
	"at once": func(r *http.Request, s *session.Session) error {
		return errors.Join(s.TryLogin("ann"), s.Save(r.Context()))
	},
}

// A device that knows one name of an account is not new for another.
func TestADeviceThatKnowsOneOfTheNamesIsNotNew(t *testing.T) {
	for how, signIn := range linkings {
		for _, names := range [][]string{{"bob", "ann"}, {"ann", "bob"}} {
			p := newPorch(t)
			v := p.from(1)
			v.try(p.door, "ann", right)
			p.hears("the form", "ann")
			p.arrive(v, p.link(signIn, names...), "GET", "")
			p.hears("a link on a known device, " + how)
			p.arrive(p.from(2), p.link(signIn, names...), "GET", "")
			p.hears("a link on a new device, "+how, "ann")
			p.arrive(v, p.link(signIn, "bob"), "GET", "")
			p.hears("a link by the other name, " + how)
			if !p.knows(v, "ann") || !p.knows(v, "bob") {
				t.Errorf("%s: a name is not known", how)
			}
		}
	}
}

// The names of a form and of its handler are those of one account, too.
func TestADeviceThatKnowsAnotherNameThanTheFormIsNotNew(t *testing.T) {
	for how, signIn := range linkings {
		p := newPorch(t)
		v := p.from(1)
		v.try(p.door, "ann", right)
		p.hears("the form", "ann")
		p.form = p.SignIn(byUser)(p.link(signIn, "ann"))
		v.try(p.door, "bob", right)
		p.hears("the other name in the form, " + how)
		p.from(2).try(p.door, "bob", right)
		p.hears("the other name on a new device, "+how, "ann")
	}
}

// A name that the device knows says nothing of whom a passkey signs in, and nothing of a later request.
func TestANameThatIsKnownHidesNoOtherSignIn(t *testing.T) {
	p := newPorch(t)
	v := p.from(1)
	v.try(p.door, "ann", right)
	p.hears("the form", "ann")
	nobody := func(*http.Request) string { return "" }
	bob := func(_ *http.Request, s *session.Session) error { return s.TryLogin("bob") }
	p.arrive(v, p.SignIn(nobody)(p.link(bob, "ann")), "POST", "")
	p.hears("the passkey of somebody else", "bob")
	p.arrive(v, p.link(linkings["at once"], "ann"), "GET", "")
	v.try(p.door, "bob", right)
	p.hears("the form of somebody else", "bob")
}

// A Login that is stored already has a device as well, which is told of once.
func TestADeviceThatIsNamedAfterTheSignInIsToldOfOnce(t *testing.T) {
	p := newPorch(t)
	p.arrive(p.from(1), p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		err := linkings["at once"](r, s)
		if err := errors.Join(err, p.KnowDevice(w, r, "ann"), p.KnowDevice(w, r, "bob")); err != nil {
			t.Error(err)
		}
	}), "GET", "")
	p.hears("names after a sign-in that is stored", "ann")
}

// Two sites of one host have device cookies of one name. A response can have that of the other one.
func TestTheDeviceOfAnotherSiteHidesNoNewOne(t *testing.T) {
	staff := newPorch(t, func(o *session.Options) {
		o.Secrets, o.Cookie.Name = []session.Secret{session.NewSecret()}, "__Host-staff"
	})
	shop := newPorch(t)
	v := staff.from(1)
	v.try(staff.door, "bob", right)
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := staff.KnowDevice(w, r, "bob"); err != nil {
			t.Error(err)
		}
		shop.link(linkings["at the end"], "ann").ServeHTTP(w, r)
	})
	shop.arrive(v, staff.m.Middleware(both), "GET", "")
	shop.hears("a link on a device that another site knows", "ann")
}
