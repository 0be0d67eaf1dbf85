package session_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// fallsBack is a visitor without a name, who had something, and falls back to a session of ada's.
func (r *rig) fallsBack(adas, had, then func(*session.Session)) (v *visitor, resp *http.Response) {
	r.t.Helper()
	ada, _ := r.signIn("ada")
	ada.with(adas)
	ticket := ada.ticket()
	v = r.visitor()
	v.with(had)
	resp = v.falling(func(context.Context) (string, error) { return ticket, nil }, then)
	if v.ticket() != ticket {
		r.t.Errorf("the answer is %d and has no ticket", resp.StatusCode)
	}
	return v, resp
}

func nothing(*session.Session) {}

func TestFlashDataGoWithTheRequestThatFallsBack(t *testing.T) {
	r := newRig(t)
	shown := func(s *session.Session) {
		if s.Get("notice") != "hello" || s.Get("bag.tip") != "torn" || s.Get("bag.hat") != "grey" ||
			s.Old("name") != "Ada" || s.Get("made.here") != int64(1) || s.Get("hers") != "new" {
			t.Errorf("the request sees %v", s.All())
		}
	}
	v, _ := r.fallsBack(put("hers", "new"), func(s *session.Session) {
		s.Flash("notice", "hello")
		s.Set("bag.hat", "grey")
		s.Flash("bag.tip", "torn")
		s.Flash("made.here", 1)
		s.Flash("hers", "old")
		s.FlashForm(map[string][]string{"name": {"Ada"}})
	}, shown)
	v.with(func(s *session.Session) {
		if s.Has("notice") || s.Has("bag.tip") || s.Has("made") || s.Old("name") != "" || s.Get("bag.hat") != "grey" ||
			s.Get("hers") != "new" {
			t.Errorf("the next request sees %v", s.All())
		}
	})
}

func TestFlashDataCanBeKeptByTheRequestThatFallsBack(t *testing.T) {
	r := newRig(t)
	v, _ := r.fallsBack(nothing, func(s *session.Session) { s.Flash("notice", "hello") },
		func(s *session.Session) { s.Reflash() })
	v.with(func(s *session.Session) { wantGet(t, s, "notice", "hello") })
	v.with(func(s *session.Session) { wantGet(t, s, "notice", nil) })
}

// gobbing is a codec that decodes into the type that was encoded, and no other.
type gobbing struct{}

func (gobbing) Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func (gobbing) Unmarshal(raw []byte, v any) error {
	return gob.NewDecoder(bytes.NewReader(raw)).Decode(v)
}

func TestValuesStayAsTheyAreInAFallback(t *testing.T) {
	const number, cart = session.Key[uint64]("number"), session.Key[[]string]("cart")
	for name, codec := range map[string]session.Codec{"JSON": nil, "gob": gobbing{}} {
		r := newRig(t, func(o *session.Options) { o.Codec = codec })
		v, _ := r.fallsBack(nothing, func(s *session.Session) {
			number.Set(s, math.MaxUint64-1)
			cart.Set(s, []string{"hat"})
		}, nothing)
		v.with(func(s *session.Session) {
			n, err := number.Lookup(s)
			list, listErr := cart.Lookup(s)
			if s.User() != "ada" || n != math.MaxUint64-1 || err != nil || len(list) != 1 || listErr != nil {
				t.Errorf("%s: %d, %v and %v, %v", name, n, err, list, listErr)
			}
		})
		if r.ev.count(session.EventUndecodable) != 0 {
			t.Errorf("%s: what was added does not decode", name)
		}
	}
}

// The visitor can do nothing about it, and would be refused with every request.
func TestWhatDoesNotFitIsLeftOutOfAFallback(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.MaxBytes = 1000 })
	v, resp := r.fallsBack(put("hers", strings.Repeat("x", 500)), func(s *session.Session) {
		s.Set("large", strings.Repeat("x", 600))
		s.Set("small", "hat")
	}, nothing)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the answer is %d", resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Has("large") || s.Get("small") != "hat" {
			t.Errorf("the session of %q has %d keys", s.User(), len(s.All()))
		}
	})
}
