package explore

import (
	"context"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// deedsOfStrangers are requests of people who are not signed in yet, to handlers that count them.
func deedsOfStrangers() []deed {
	return []deed{
		{name: "limited stranger", by: stranger, page: func(ctx context.Context, a *act) {
			a.get(ctx, a.limited(guard.Limit{Name: "stranger", By: guard.Address, Store: a.store}))
		}},
		{name: "limited account", by: stranger, page: func(ctx context.Context, a *act) {
			account := guard.Account(func(*http.Request) string { return "ada" })
			a.get(ctx, a.limited(guard.Limit{Name: "account", By: account, Store: a.store}))
		}},
		{name: "guess", by: stranger, tries: anywhere, page: func(ctx context.Context, a *act) {
			a.signIn(ctx, wrong)
		}},
		{name: "sign in by form", by: stranger, tries: anywhere, signs: "ada", page: func(ctx context.Context, a *act) {
			a.signIn(ctx, right)
		}},
		{name: "known device: guess", by: stranger, tries: atHome, page: func(ctx context.Context, a *act) {
			a.signIn(ctx, wrong)
		}},
		{name: "known device: sign in", by: stranger, tries: atHome, signs: "ada", page: func(ctx context.Context,
			a *act) {
			a.signIn(ctx, right)
		}},
	}
}

// Where somebody tries a password of ada's: on a device that nobody knows, or on hers.
const (
	anywhere = "anywhere"
	atHome   = "at home"
)

const (
	right = "password=right&user=ada"
	wrong = "password=wrong&user=ada"
)

// signInLimits let one password be tried, and then the next after a wait, which is longer than any scene. A store that
// forgets keeps no counts.
func (st *stage) signInLimits(store Store) guard.SignInLimits {
	l := guard.SignInLimits{Attempts: 1}
	if st.c.room.bound == 0 {
		l.Store = store
	}
	return l
}

// signIn sends the form to sign in, and keeps what the response says of the device.
func (a *act) signIn(ctx context.Context, form string) {
	r := a.request(ctx, "POST", form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.device != "" {
		r.AddCookie(&http.Cookie{Name: deviceName, Value: a.device})
	}
	account := func(r *http.Request) string { return r.PostFormValue("user") }
	a.keepDevice(a.serve(a.g.SignIn(account)(a.m.HandlerFunc(a.try)), r))
}

const deviceName = "__Host-device"

func (a *act) keepDevice(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		if c.Name == deviceName {
			a.device, a.told = c.Value, true
		}
	}
}

// try is the handler of the form.
func (a *act) try(_ http.ResponseWriter, r *http.Request, s *session.Session) {
	a.note(s)
	a.passed = true
	if r.PostFormValue("password") != "right" {
		return
	}
	a.begin(s)
}

// knowDevice makes a device of ada's known before the requests meet, and gives it to those who come from there.
func (sc *scene) knowDevice(ctx context.Context) error {
	if !sc.any(func(a *act) bool { return a.tries == atHome }) {
		return nil
	}
	w := httptest.NewRecorder()
	a := act{sc: sc, node: sc.nodes[0]}
	if err := a.g.KnowDevice(w, a.request(ctx, "POST", ""), "ada"); err != nil {
		return err
	}
	a.keepDevice(w)
	for _, b := range sc.acts {
		if b.tries == atHome {
			b.device = a.device
		}
	}
	return nil
}
