package passkey_test

import (
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/memstore"
)

func newManager(t *testing.T) *session.Manager {
	t.Helper()
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestOptionsThatNoBrowserAcceptsAreRefusedByName(t *testing.T) {
	m := newManager(t)
	for _, c := range []struct {
		opts passkey.Options
		want string // in the error; "": none
	}{
		{passkey.Options{}, "Options.Origins"},
		{passkey.Options{Origins: []string{""}}, "Options.Origins"},
		{passkey.Options{Origins: []string{"example.com"}}, "Options.Origins"},
		{passkey.Options{Origins: []string{"http://example.com"}}, "Options.Origins"},
		{passkey.Options{Origins: []string{"https://example.com/"}}, "Options.Origins"},
		{passkey.Options{Origins: []string{"https://a@example.com"}}, "Options.Origins"},
		{passkey.Options{Origins: []string{"https://127.0.0.1"}}, "RPID"},
		{passkey.Options{Origins: []string{"android:apk-key-hash:abc"}}, "Options.Origins"},
		{passkey.Options{Origins: []string{origin}, RPID: "other.com"}, "Options.RPID"},
		{passkey.Options{Origins: []string{origin}, RPID: "ample.com"}, "Options.RPID"},
		{passkey.Options{Origins: []string{origin, "https://other.com"}}, "Options.RPID"},
		{passkey.Options{Origins: []string{origin}, EmbeddedIn: []string{"partner.test"}}, "Options.EmbeddedIn"},
		{passkey.Options{Origins: []string{origin}, UserVerification: "always"}, "Options.UserVerification"},
		{passkey.Options{Origins: []string{origin}}, ""},
		{passkey.Options{Origins: []string{origin, "https://www.example.com:8443"}, RPID: "example.com"}, ""},
		{passkey.Options{Origins: []string{"http://localhost:8080"}}, ""},
		{passkey.Options{Origins: []string{origin, "android:apk-key-hash:abc"}}, ""},
	} {
		_, err := passkey.New(m, newAccounts(), c.opts)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("New with %+v: %v, want an error of %q", c.opts, err, c.want)
		}
	}
	for name, err := range map[string]error{
		"no manager":  second(passkey.New(nil, newAccounts(), passkey.Options{Origins: []string{origin}})),
		"no accounts": second(passkey.New(m, nil, passkey.Options{Origins: []string{origin}})),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second(_ *passkey.Passkeys, err error) error { return err }

func TestACookieOfPlainHTTPHasNoPrefix(t *testing.T) {
	st := newSite(t, func(up *setup) {
		up.session.Cookie.Insecure = true
		up.passkey.Origins = []string{"http://localhost:8080"}
	})
	got := st.browser().post("/passkey/sign-in/begin", "{}")
	if cookie := got.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "passkey=") {
		t.Errorf("the cookie is %q", cookie)
	}
}
