package session_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/coatcheck/session"
)

func TestALogoutClearsTheSiteWhereThatIsAskedFor(t *testing.T) {
	const all = `"cookies", "storage"`
	ask := func(o *session.Options) { o.ClearOnLogout = true }
	plain := func(o *session.Options) { o.ClearOnLogout, o.Cookie.Insecure = true, true }
	for name, row := range map[string]struct {
		change func(*session.Options)
		do     func(*session.Session)
		want   []string
	}{
		"a logout":      {ask, (*session.Session).Logout, []string{all}},
		"an invalidate": {ask, (*session.Session).Invalidate, []string{all}},
		"saved before":  {ask, func(s *session.Session) { s.Logout(); _ = s.Save(bg) }, []string{all}},
		"unasked":       {func(*session.Options) {}, (*session.Session).Logout, nil},
		"over HTTP":     {plain, (*session.Session).Logout, nil},
		"nothing ends":  {ask, func(s *session.Session) { s.Set("x", 1) }, nil},
		"and then set":  {ask, func(s *session.Session) { s.Logout(); s.Set("x", 1) }, nil},
		"and a login":   {ask, func(s *session.Session) { s.Logout(); s.Login("ada") }, nil},
		"saved between": {ask, func(s *session.Session) { s.Logout(); _ = s.Save(bg); s.Flash("x", 1) }, nil},
		"another user":  {ask, func(s *session.Session) { s.Login("bob") }, nil},
	} {
		r := newRig(t, row.change)
		v, _ := r.signIn("ada")
		gone := v.clone()
		resp := v.with(row.do)
		if got := resp.Header["Clear-Site-Data"]; !slices.Equal(got, row.want) {
			t.Errorf("%s: Clear-Site-Data is %q, want %q", name, got, row.want)
		}
		if got := gone.with((*session.Session).Logout).Header["Clear-Site-Data"]; row.want != nil && got != nil {
			t.Errorf("%s: a session that is gone is cleared: %q", name, got)
		}
	}
}

func TestWhatAHandlerClearsStays(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.ClearOnLogout = true })
	v, _ := r.signIn("ada")
	resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		w.Header().Set("Clear-Site-Data", `"cache"`)
		s.Logout()
	})
	if got := resp.Header["Clear-Site-Data"]; !slices.Equal(got, []string{`"cache"`, `"cookies", "storage"`}) {
		t.Errorf("Clear-Site-Data is %q", got)
	}
}

// An outage leaves the session, and everything else that the site has in the browser.
func TestALogoutThatFailsClearsNothing(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.ClearOnLogout = true })
	v, _ := r.signIn("ada")
	r.store.hook(func(call, _ string) error {
		if call == "load" {
			return nil
		}
		return errFull
	})
	resp := v.with((*session.Session).Logout)
	if got := resp.Header["Clear-Site-Data"]; resp.StatusCode != http.StatusServiceUnavailable || got != nil {
		t.Errorf("status %d, Clear-Site-Data %q", resp.StatusCode, got)
	}
	r.store.hook(nil)
	v.isUser("ada")
}
