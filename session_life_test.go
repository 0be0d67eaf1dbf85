package session_test

import (
	"net/http"
	"testing"

	"github.com/coatcheck/session"
)

// What one request sets the next one reads, and nobody else.
func TestWhatARequestSetsTheNextOneReads(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for want := int64(1); want <= 3; want++ {
		v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			session.Key[int64]("n").Update(s, func(n int64) int64 { return n + 1 })
			if got := s.Get("n"); got != want {
				t.Errorf("n = %v, want %d", got, want)
			}
		})
	}
	r.visitor().with(func(s *session.Session) {
		if s.Has("n") || !s.IsNew() {
			t.Error("a stranger sees the value of another visitor")
		}
	})
}
