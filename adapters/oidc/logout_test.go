package oidcsession_test

import (
	"bytes"
	"encoding/gob"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
)

func TestALogoutEndsExactlyTheSessionsOfItsSid(t *testing.T) {
	p, one, two := pair(t)
	var phone, laptop, tablet, office, other, same = newBrowser(t), newBrowser(t), newBrowser(t), newBrowser(t),
		newBrowser(t), newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	same.signIn(two, "ada", "sid 1")
	laptop.signIn(two, "ada", "sid 2")
	tablet.signIn(one, "ada", "sid 3")
	office.post(one, "/password", url.Values{"user": {"ada"}})
	other.signIn(one, "bob", "sid 4")
	tablet.post(two, "/password", url.Values{"user": {"ada"}}) // no longer by the provider

	for _, sid := range []string{"sid 1", "sid 3", "sid 9"} {
		two.logsOut(p.logoutToken(t, "ada", sid))
	}
	phone.is(one, ended)
	same.is(one, ended)
	for _, b := range []*browser{laptop, tablet, office} {
		b.is(one, "ada|")
	}
	other.is(two, "bob|")
	if got := two.reported(session.EventEnded, session.ReasonProvider); got != 2 {
		t.Errorf("%d events of an end by the provider, want 2", got)
	}
	two.logsOut(p.logoutToken(t, "", "sid 4"))
	other.is(one, ended)
}

func TestALogoutWithoutSidEndsAllThatTheSubjectHasBegun(t *testing.T) {
	p, one, two := pair(t)
	phone, laptop, office, other := newBrowser(t), newBrowser(t), newBrowser(t), newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	laptop.signIn(two, "ada", "")
	office.post(one, "/password", url.Values{"user": {"ada"}})
	other.signIn(one, "bob", "sid 4")
	two.logsOut(p.logoutToken(t, "ada", ""))
	phone.is(two, ended)
	laptop.is(two, ended)
	office.is(two, "ada|")
	other.is(two, "bob|")

	if status, _ := phone.trySignIn(one, "ada", "sid 5"); status != http.StatusForbidden {
		t.Errorf("a sign-in of the same second: %d, want 403", status)
	}
	p.clock.advance(time.Second)
	phone.signIn(one, "ada", "sid 5")
	one.logsOut(p.sign(t, "", p.logoutClaims("ada", "").with(object{"iat": p.clock.now().Unix() - 1})))
	phone.is(one, "ada|")
}

// A provider that begins to send session ids has sessions of before, which it cannot name.
func TestALogoutOfASidAlsoEndsWhatItsSubjectBeganWithoutOne(t *testing.T) {
	p, one, two := pair(t)
	old, laptop, office, other := newBrowser(t), newBrowser(t), newBrowser(t), newBrowser(t)
	old.signIn(one, "ada", "")
	other.signIn(one, "bob", "")
	laptop.signIn(two, "ada", "sid 2")
	office.post(one, "/password", url.Values{"user": {"ada"}})
	two.logsOut(p.logoutToken(t, "", "sid 1")) // which says nothing of a subject
	old.is(one, "ada|")
	two.logsOut(p.logoutToken(t, "ada", "sid 1"))
	old.is(one, ended)
	laptop.is(one, "ada|")
	office.is(one, "ada|")
	other.is(one, "bob|")

	laptop.signIn(two, "ada", "sid 3")
	if status, _ := old.trySignIn(one, "ada", ""); status != http.StatusForbidden {
		t.Errorf("a sign-in of the same second without a sid: %d, want 403", status)
	}
	p.clock.advance(time.Second)
	old.signIn(one, "ada", "")
	old.is(two, "ada|")
}

// A release with another codec cannot read the links of before, and the provider is told that they have ended.
func TestALogoutEndsWhatIsLinkedInAnotherCodec(t *testing.T) {
	for _, by := range [][2]string{{"", "sid 1"}, {"ada", ""}, {"ada", "sid 1"}} {
		p, store := newProvider(t), memstore.New(memstore.Options{})
		one := newNode(t, p, store, oidcsession.Options{})
		two := newNode(t, p, store, oidcsession.Options{}, func(o *session.Options) { o.Codec = gobs{} })
		phone, office, other := newBrowser(t), newBrowser(t), newBrowser(t)
		phone.signIn(one, "ada", "sid 1")
		office.post(one, "/password", url.Values{"user": {"ada"}})
		other.signIn(one, "bob", "sid 2")
		phone.is(two, "ada|")
		two.logsOut(p.logoutToken(t, by[0], by[1]))
		phone.is(two, ended)
		office.is(one, "ada|")
		other.is(one, "bob|")
	}
}

// gobs is a codec of a site.
type gobs struct{}

func (gobs) Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func (gobs) Unmarshal(data []byte, v any) error {
	return gob.NewDecoder(bytes.NewReader(data)).Decode(v)
}

func TestLinksInFilesAreSeenByAllProcesses(t *testing.T) {
	p, folder := newProvider(t), t.TempDir()
	var nodes []*node
	for range 2 {
		store, err := filestore.New(folder, filestore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, newNode(t, p, store, oidcsession.Options{}))
	}
	phone, laptop := newBrowser(t), newBrowser(t)
	phone.signIn(nodes[0], "ada", "sid 1")
	laptop.signIn(nodes[1], "ada", "sid 2")
	token := p.logoutToken(t, "", "sid 1")
	nodes[1].logsOut(token)
	phone.is(nodes[0], ended)
	laptop.is(nodes[0], "ada|")
	if status, _ := nodes[0].logout(token); status != http.StatusBadRequest {
		t.Errorf("a replay: %d, want 400", status)
	}
	if status, _ := phone.trySignIn(nodes[0], "ada", "sid 1"); status != http.StatusForbidden {
		t.Errorf("a sign-in that is over: %d, want 403", status)
	}
}

func TestALinkFollowsARenewedSession(t *testing.T) {
	p, one, two := pair(t, func(o *session.Options) { o.RenewEvery = time.Minute })
	phone := newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	for range 3 {
		p.clock.advance(2 * time.Minute)
		phone.is(two, "ada|") // by an alias
		phone.post(one, "/renew", nil)
	}
	p.clock.advance(time.Minute)
	two.logsOut(p.logoutToken(t, "ada", "sid 1"))
	phone.is(one, ended)
}

func TestALogoutOfASessionThatIsOverSucceeds(t *testing.T) {
	p, one, _ := pair(t)
	one.logsOut(p.logoutToken(t, "nobody", "sid 1"))
	one.logsOut(p.logoutToken(t, "nobody", ""))
	if n, err := one.sessions.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v: what is to be remembered is gone", n, err)
	}
	p.clock.advance(time.Hour)
	if n, err := one.sessions.Sweep(t.Context()); n != 4 || err != nil {
		t.Errorf("Sweep = %d, %v, want the marks of the sid and the sub, and both tokens", n, err)
	}
}

func TestATokenIsGoodForOneUseOnAllNodes(t *testing.T) {
	p, one, two := pair(t)
	token := p.logoutToken(t, "ada", "sid 1")
	one.logsOut(token)
	for range 4 {
		for _, n := range []*node{one, two} {
			if status, body := n.logout(token); status != http.StatusBadRequest {
				t.Errorf("a replay: %d %s, want 400", status, body)
			}
		}
		p.clock.advance(time.Minute)
		if n, err := one.sessions.Sweep(t.Context()); err != nil {
			t.Errorf("Sweep = %d, %v", n, err)
		}
	}
}
