package session

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
)

// noteClient notes the client of the request, for lists of sessions, before the first commit. It holds no lock while it
// calls Options.ClientIP.
func (s *Session) noteClient() {
	r := s.request
	if s.ex != nil {
		r = s.ex.r
	}
	if r == nil {
		return
	}
	s.client.Do(func() {
		ip, ua := s.m.opts.ClientIP(r).Unmap().WithZone(""), r.UserAgent()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.draft.SetClient(ip, ua, wire.CleanUserAgent)
	})
}

// nothingToDo reports whether a commit would do nothing. Then a last one is over at once, unless one is under way that
// may leave something to tell the client.
func (s *Session) nothingToDo(mode life.Mode) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.stub == nil && s.draft.NothingToDo(mode) && !(s.busy && mode.Last)
	if idle && mode.Last {
		s.ex.sent.Store(true)
	}
	return idle
}

// takeReply returns what to tell the client about its ticket, and until when it should keep it.
func (s *Session) takeReply() (r life.Reply, text string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.TakeReply()
}

// SkipHeader returns a predicate for Options.Skip: requests with this header, and the value if it is not "*", have no
// session. Any client can send a header: use one that your proxy sets or removes.
func SkipHeader(name, value string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		values := r.Header.Values(name)
		return slices.Contains(values, value) || value == "*" && len(values) > 0
	}
}

// ClientIPFrom returns a function for Options.ClientIP that believes proxies at these addresses. It goes through
// X-Forwarded-For or Forwarded (RFC 7239) from the right, past trusted proxies, to the first address that is not one.
// An entry that is no address ends the walk at the proxy that wrote it. When both headers are there and differ, a
// client may have made up one of them: then the peer is all that is known.
func ClientIPFrom(trusted ...netip.Prefix) func(*http.Request) netip.Addr {
	return wire.Proxies(slices.Clone(trusted)).Client
}
