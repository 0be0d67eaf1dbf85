// Package trace notes what a request costs: each call that it makes to the store, and what becomes of its session.
package trace

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Trace is what is known of one request. It is safe for concurrent use, and a nil one notes nothing.
type Trace struct {
	mu      sync.Mutex
	calls   []string
	events  []string
	version uint64
	asked   string // the id that was loaded first
	came    string
	follow  func() string
}

type key struct{}

// New returns a context whose calls are noted.
func New(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{}
	return context.WithValue(ctx, key{}, t), t
}

// From returns the trace of a context, nil when there is none.
func From(ctx context.Context) *Trace {
	t, _ := ctx.Value(key{}).(*Trace)
	return t
}

// Note notes a call, the version of the record that it read or stored, 0 for none, and how it ended.
func (t *Trace) Note(call string, version uint64, err error) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if how := outcome(err); how != "" {
		call += ": " + how
	} else if version > 0 {
		t.version = version
	}
	t.calls = append(t.calls, call)
}

// Event notes what the manager reported.
func (t *Trace) Event(kind string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.events, kind) {
		t.events = append(t.events, kind)
	}
}

// asks notes the id that a request brought.
func (t *Trace) asks(id string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked == "" {
		t.asked = id
	}
}

// Follow notes the id of the session with which a request begins, and asks for it again in the end; "" is none. Where a
// former id led to the session, that is the one with which the request began.
func (t *Trace) Follow(id func() string) {
	if t == nil {
		return
	}
	first := id()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.follow, t.came = id, first
	if first != "" && t.asked != "" {
		t.came = t.asked
	}
}

// Summary is what a request cost, for people and scripts.
type Summary struct {
	Calls   []string `json:"calls"`   // in their order, such as "load" or "save: conflict"
	Version uint64   `json:"version"` // of the record that was read or written last; 0: none
	ID      string   `json:"id"`      // "not asked for", "unknown", "none", "kept", "new", "changed" or "ended"
	Cookie  string   `json:"cookie"`  // "none", "sent" or "deleted"
	Events  []string `json:"events"`  // what the manager reported
}

// Summary says what the request cost until now. The headers are those of its response; of its cookies only the one with
// the given name counts.
func (t *Trace) Summary(h http.Header, cookie string) Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Summary{Calls: slices.Clone(t.calls), Version: t.version, ID: t.id(),
		Cookie: sent(h, cookie),
		Events: slices.Clone(t.events)}
	if s.Calls == nil {
		s.Calls = []string{}
	}
	if s.Events == nil {
		s.Events = []string{}
	}
	if s.ID == "ended" || s.ID == "none" {
		s.Version = 0 // what was read then is no session
	}
	return s
}

func (t *Trace) id() string {
	if t.follow == nil && len(t.calls) > 0 {
		return "unknown"
	}
	if t.follow == nil {
		return "not asked for"
	}
	switch left := t.follow(); {
	case t.came == left && left == "":
		return "none"
	case t.came == left:
		return "kept"
	case t.came == "":
		return "new"
	case left == "":
		return "ended"
	}
	return "changed"
}

// sent says what a response does with a cookie.
func sent(h http.Header, name string) string {
	for _, line := range h.Values("Set-Cookie") {
		if !strings.HasPrefix(line, name+"=") {
			continue
		}
		if c, err := http.ParseSetCookie(line); err == nil && (c.MaxAge < 0 || c.Value == "") {
			return "deleted"
		}
		return "sent"
	}
	return "none"
}
