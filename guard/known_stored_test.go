package guard_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/coatcheck/session"
)

// The device is in the response already when the sign-in fails, and stays what it was.
func TestASignInThatFailsLeavesTheDeviceWhatItWas(t *testing.T) {
	p := newPorch(t)
	v := p.from(1)
	v.try(p.door, "bob", right)
	plain := p.form
	p.form = p.SignIn(byUser)(p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := errors.Join(p.KnowDevice(w, r, "bob"), s.TryLogin("ann")); err != nil {
			t.Error(err)
		}
	}))
	p.store.broken.Store(true)
	w := v.try(p.door, "ann", right)
	p.store.broken.Store(false)
	if w.Code != http.StatusServiceUnavailable || sentDevice(t, w) == nil {
		t.Errorf("status %d, cookies %q, want 503 and the device that KnowDevice sends", w.Code, w.Result().Cookies())
	}
	if p.form = plain; p.knows(v, "ann") || !p.knows(v, "bob") {
		t.Error("want that the device is known for bob alone")
	}
}
