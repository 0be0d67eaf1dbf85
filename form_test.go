package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session"
)

// signUp is a form that refuses what it is sent, and shows it again.
func signUp(r *rig) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sign-up", func(w http.ResponseWriter, req *http.Request) {
		if err := req.ParseForm(); err != nil {
			r.t.Error(err)
		}
		session.From(req.Context()).FlashForm(req.PostForm)
		http.Redirect(w, req, "/sign-up", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /sign-up", func(w http.ResponseWriter, req *http.Request) {
		s := session.From(req.Context())
		fmt.Fprintf(w, "%s|%s|%s|%d", s.Old("name"), s.Old("color"), s.Old("password"), len(s.All()))
	})
	return r.Preload(mux)
}

func TestAFormIsShownAgainOnce(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(signUp(newRig(t)))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			client.Jar, _ = cookiejar.New(nil)
			for i, want := range []string{"Ada & co|red||0", "|||0"} {
				resp, err := client.Get(server.URL + "/sign-up")
				if i == 0 {
					resp, err = client.PostForm(server.URL+"/sign-up", url.Values{
						"name": {"Ada & co"}, "color": {"red", "blue"}, "password": {"hunter2"},
					})
				}
				if err != nil {
					t.Fatal(err)
				}
				if body := readPlain(t, resp); body != want {
					t.Errorf("the form shows %q, want %q", body, want)
				}
				resp.Body.Close()
			}
		})
	}
}

func TestAFormKeepsNoSecret(t *testing.T) {
	secret := []string{"password", "PASSWORD", "Password2", "current_password", "password-confirmation",
		"user[password]", "user.newPassword", "users[0][Passwd]", "csrf_token", "accessToken", "TOKEN", "client_secret",
		"passphrase", "pin", "card[cvc]", "OTP", "to\u212aen", "user[pwd]", "pass", "newPwd", "userPin", "otpCode",
		"cardCvc", "oldPass", "pass1", "pass2", "pwd2", "pin1", "userPIN", "PINCode", "cardCVV2", "2otp",
		"cVV", "pIN", "card[cVC]", "user[newPin]"}
	open := []string{"name", "email", "shipping", "compass", "spin", "user[name]", "opinion", "", "passenger", "tok",
		"compass2", "spinRate", "Opinion", "myCompass", "passengerName", "PINK", "pınCode", "SPIN"}
	form := url.Values{}
	for _, name := range append(append([]string{}, secret...), open...) {
		form.Set(name, "value of "+name)
	}
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) {
		s.FlashForm(form)
		form.Set("name", "changed") // which is not ours any more
	})
	v.with(func(s *session.Session) {
		for _, name := range secret {
			if got := s.Old(name); got != "" {
				t.Errorf("Old(%q) = %q", name, got)
			}
		}
		for _, name := range open {
			if got := s.Old(name); got != "value of "+name {
				t.Errorf("Old(%q) = %q", name, got)
			}
		}
	})
	for _, rec := range recordsOf(t, r) {
		if strings.Contains(string(rec.Data), "value of password") {
			t.Error("the store has a password")
		}
	}
}

func recordsOf(t *testing.T, r *rig) (recs []*session.Record) {
	t.Helper()
	for info, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.store.Load(t.Context(), info.ID)
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
	return recs
}

func TestAFormIsFlashDataOfItsOwn(t *testing.T) {
	form, other, secret := url.Values{"name": {"ada"}}, url.Values{"name": {"x"}}, url.Values{"pin": {"1"}}
	old := func(want string) func(*session.Session) bool {
		return func(s *session.Session) bool { return s.Old("name") == want }
	}
	for name, row := range map[string]struct {
		do          func(s *session.Session)
		next, after string
	}{
		"kept":             {func(s *session.Session) { s.FlashForm(form) }, "ada", ""},
		"twice":            {func(s *session.Session) { s.FlashForm(other); s.FlashForm(form) }, "ada", ""},
		"dropped":          {func(s *session.Session) { s.FlashForm(form); s.FlashForm(nil) }, "", ""},
		"only secrets":     {func(s *session.Session) { s.FlashForm(form); s.FlashForm(secret) }, "", ""},
		"cleared":          {func(s *session.Session) { s.FlashForm(form); s.Clear() }, "", ""},
		"a login":          {func(s *session.Session) { s.FlashForm(form); s.Login("ada") }, "ada", ""},
		"a logout":         {func(s *session.Session) { s.FlashForm(form); s.Logout() }, "", ""},
		"no path leads in": {func(s *session.Session) { s.Set("coatcheck:form", 1) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := newRig(t).visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			v.with(row.do)
			if !sees(v, old(row.next)) || !sees(v, old(row.after)) {
				t.Errorf("the next request does not see %q, or the one after not %q", row.next, row.after)
			}
		})
	}
	v := newRig(t).visitor()
	v.with(func(s *session.Session) { s.FlashForm(form) })
	v.with(func(s *session.Session) { s.Reflash() })
	if !sees(v, old("ada")) || !sees(v, old("")) {
		t.Error("Reflash does not keep the form for one more request")
	}
}

func TestAFormIsBounded(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.MaxBytes = 1000 })
	v := r.visitor()
	resp := v.with(func(s *session.Session) {
		s.FlashForm(url.Values{"text": {strings.Repeat("x", 2000)}})
		if !errors.Is(s.Err(), session.ErrTooLarge) {
			t.Errorf("Err = %v", s.Err())
		}
	})
	if resp.StatusCode != http.StatusInternalServerError || len(resp.Cookies()) != 0 {
		t.Errorf("answered %d with %v", resp.StatusCode, resp.Cookies())
	}
	resp = v.with(func(s *session.Session) { s.FlashForm(url.Values{"password": {"x"}}) })
	if len(resp.Cookies()) != 0 {
		t.Error("a form of secrets alone is stored")
	}
}

// A form may have as many fields as whoever sends it likes, and a page asks for each of its own.
func TestAPageDecodesItsOldFormOnce(t *testing.T) {
	c := countingCodec{new(atomic.Int64), new(atomic.Int64)}
	r := newRig(t, with(c))
	v := r.visitor()
	v.with(func(s *session.Session) {
		s.FlashForm(url.Values{"name": {"Ada"}, "color": {"red", "blue"}})
		if s.Old("name") != "Ada" {
			t.Error("Old does not give what FlashForm has kept just now")
		}
	})
	v.with(func(s *session.Session) {
		before := c.decoded.Load()
		for range 20 {
			if s.Old("name") != "Ada" || s.Old("color") != "red" || s.Old("other") != "" {
				t.Error("Old does not give what was sent")
			}
		}
		if n := c.decoded.Load() - before; n != 1 {
			t.Errorf("the form was decoded %d times for 60 fields, want once", n)
		}
		if s.FlashForm(url.Values{"name": {"Bob"}}); s.Old("name") != "Bob" || s.Old("color") != "" {
			t.Error("Old gives the form before")
		}
		if s.FlashForm(nil); s.Old("name") != "" {
			t.Error("Old gives a form that was dropped")
		}
	})
}
