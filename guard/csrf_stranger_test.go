package guard_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

func TestAStrangerWithAFormLeavesNothingInTheStore(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	for range 10 {
		v := r.visitor()
		wantInside(t, v.post(h, "/form", field(v.token(h))))
	}
	for info, err := range r.m.All(t.Context()) {
		t.Errorf("a session is stored: %+v, %v", info, err)
	}
	if w := r.visitor().get(r.CSRF(inside), "/"); len(w.Result().Cookies()) != 0 {
		t.Errorf("a page without a form sends %v, want no cookie", w.Result().Cookies())
	}
}

func TestTheCookieOfAStrangerIsTheSafeOne(t *testing.T) {
	for want, change := range map[string]func(*session.Options){
		"__Host-csrf": func(*session.Options) {},
		"csrf":        func(o *session.Options) { o.Cookie.Insecure = true },
	} {
		r := newRig(t, guard.Options{}, change)
		w := r.visitor().get(r.CSRF(formPage), "/form")
		c := w.Result().Cookies()[0]
		if len(w.Result().Cookies()) != 1 || c.Name != want || c.Secure != (want != "csrf") || !c.HttpOnly ||
			c.Path != "/" ||
			c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookies %v, want one named %s, HttpOnly, Lax, for the whole host", w.Result().Cookies(), want)
		}
	}
}

// A sibling host that can plant cookies does not know what the signature needs.
func TestAPlantedCookieIsWorthNothing(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	v := r.visitor()
	token := v.token(h)
	v.cookies["__Host-csrf"] = "QUJD." + strings.Repeat("A", 54)
	if w := v.post(h, "/form", field(token)); w.Code != 403 {
		t.Errorf("status %d with a planted cookie, want 403", w.Code)
	}
}

// Two pages that are made at the same time, on two nodes, agree on the key.
func TestTokensOfParallelPagesAllHold(t *testing.T) {
	r, gate := newGatedRig(t)
	other := r.node()
	h, h2 := r.CSRF(formPage), other.CSRF(formPage)
	for range 10 {
		v := r.signIn("ada")
		tokens := make([]string, 8)
		gate.arm(len(tokens), true)
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() { tokens[i] = v.token([]http.Handler{h, h2}[i%2]) })
		}
		wg.Wait()
		for _, token := range tokens {
			wantInside(t, v.post(h, "/form", field(token)))
		}
	}
}

func TestAPageWithATokenStoresNothingElseBeforeItsTime(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	h := r.CSRF(r.m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Set("half", 1)
		if guard.CSRFToken(req) == "" {
			t.Error("no token")
		}
		panic(http.ErrAbortHandler)
	}))
	func() {
		defer func() { _ = recover() }()
		v.get(h, "/")
	}()
	v.with(func(s *session.Session) {
		if s.Has("half") || len(s.All()) != 0 {
			t.Errorf("a handler that panics left %v", s.All())
		}
	})
}

// Only a page that shows a token makes a key for it.
func TestAWrongTokenMakesNoKey(t *testing.T) {
	counting := &counting{Store: memstore.New(memstore.Options{})}
	r := newRigOn(t, counting, &clock{t: time.Unix(1e9, 0)}, guard.Options{})
	wrong := field(r.visitor().token(r.CSRF(formPage)))
	for name, v := range map[string]*visitor{"a stranger": r.visitor(), "a user": r.signIn("ada")} {
		counting.saves.Store(0)
		w := v.post(r.CSRF(formPage), "/form", wrong)
		if w.Code != 403 || len(w.Result().Cookies()) != 0 || counting.saves.Load() != 0 {
			t.Errorf("%s: status %d, cookies %v, %d saves; want 403 and no more", name, w.Code, w.Result().Cookies(),
				counting.saves.Load())
		}
	}
}
