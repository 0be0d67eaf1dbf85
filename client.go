package session

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/wire"
)

// noteClient notes the client of the request, for lists of sessions, before the first commit. It holds no lock while it
// calls Options.ClientIP.
func (s *Session) noteClient() {
	if s.ex == nil {
		return
	}
	s.client.Do(func() {
		ip, ua := s.m.opts.ClientIP(s.ex.r).Unmap().WithZone(""), s.ex.r.UserAgent()
		s.mu.Lock()
		defer s.mu.Unlock()
		if rec := s.draft.rec; rec == nil || rec.UserAgent != ua { // what is stored is clean
			ua = wire.CleanUserAgent(ua)
		}
		s.draft.ip, s.draft.ua = ip, ua
	})
}

// nothingToDo reports whether a commit would do nothing. Then a last one is over at once, unless one is under way that
// may leave something to tell the client.
func (s *Session) nothingToDo(mode commitMode) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.stub == nil && s.draft.nothingToDo(mode) && !(s.busy && mode.last)
	if idle && mode.last {
		s.ex.sent.Store(true)
	}
	return idle
}

// takeReply returns what to tell the client about its ticket, and until when it should keep it.
func (s *Session) takeReply() (r reply, text string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, s.draft.reply = s.draft.reply, replyNothing
	if r != replyTicket {
		return r, "", time.Time{}
	}
	at := s.draft.place
	if l := s.draft.leaving; at.rec == nil && l != nil { // a commit failed to end it, so it is still the client's
		at = *l
	}
	if at.rec == nil { // and an empty ticket would delete the cookie
		return replyNothing, "", time.Time{}
	}
	if at.rec.Persistent {
		until = at.rec.ExpiresAt
		if until.IsZero() {
			until = s.m.now().Add(maxCookieAge)
		}
	}
	return r, at.text(s.m.ring(), s.m.transport.Name()), until
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
