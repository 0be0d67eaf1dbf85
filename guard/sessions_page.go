package guard

import (
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/coatcheck/session"
)

// SessionsPage is what the page of Sessions shows. Options.ShowSessions gets it for a page of the site's own, whose
// forms post id=… or others=1 to the address of the page.
type SessionsPage struct {
	User    string
	Devices []SessionEntry // this device first, then the one last seen
	Others  bool           // there are sessions besides this one
	Ended   string         // confirms what was ended just now, "" when nothing was
	Confirm string         // the page to sign in again, when that is asked for before another session is ended
	Words   Words

	r *http.Request
}

// CSRF is the hidden field that every form of the page needs. Ask for it before the first byte of the response.
func (p SessionsPage) CSRF() template.HTML { return CSRFField(p.r) }

// SessionEntry is a session as its user sees it. It has no ticket. As JSON it is what Sessions answers to scripts.
type SessionEntry struct {
	ID         string // of session.Info: what a form posts to end it
	Current    bool
	Device     string // by Words.Device
	Kind       string // KindComputer and the like
	Address    string // "": unknown
	Place      string // by Options.Place
	Remembered bool
	Bound      bool   // to its device, as package devicebound does it
	Ago        string // since it was seen last, by Words.Ago
	When       string // it signed in, by Words.Time

	SignedIn, Seen, Expires time.Time // Expires may be zero: never
}

// MarshalJSON writes times to the second, and null for none.
func (e SessionEntry) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID         string `json:"id"`
		Current    bool   `json:"current"`
		Device     string `json:"device"`
		Kind       string `json:"kind"`
		Address    string `json:"address,omitempty"`
		Place      string `json:"place,omitempty"`
		SignedIn   stamp  `json:"signed_in_at"`
		Seen       stamp  `json:"seen_at"`
		Expires    stamp  `json:"expires_at"`
		Remembered bool   `json:"remembered"`
		Bound      bool   `json:"bound"`
	}{e.ID, e.Current, e.Device, e.Kind, e.Address, e.Place, stamp{e.SignedIn}, stamp{e.Seen}, stamp{e.Expires},
		e.Remembered, e.Bound})
}

// SignedInAt is for the attribute of a time element.
func (e SessionEntry) SignedInAt() string { return stamp{e.SignedIn}.Machine() }

// SeenAt is for the attribute of a time element.
func (e SessionEntry) SeenAt() string { return stamp{e.Seen}.Machine() }

// entries are the sessions of a user, this one first and then the one last seen.
func (g *Guard) entries(infos []session.Info, current string, words Words) []SessionEntry {
	list := make([]SessionEntry, len(infos))
	for i, info := range infos {
		list[i] = g.entry(info, current, words)
	}
	slices.SortStableFunc(list, func(a, b SessionEntry) int {
		if a.Current {
			return -1
		}
		if b.Current {
			return 1
		}
		return b.Seen.Compare(a.Seen)
	})
	return list
}

func (g *Guard) entry(info session.Info, current string, words Words) SessionEntry {
	e := SessionEntry{
		ID: info.ID, Current: info.ID == current, Kind: kindOf(info.UserAgent), Remembered: info.Persistent,
		Bound:    info.Bound,
		Device:   words.Device(find(browsers, info.UserAgent), find(systems, info.UserAgent)),
		SignedIn: info.LoginAt, Seen: info.SeenAt, Expires: info.ExpiresAt,
		Ago: words.Ago(max(g.m.Now().Sub(info.SeenAt), 0)), When: words.Time(info.LoginAt),
	}
	if info.RemoteIP.IsValid() {
		e.Address = info.RemoteIP.String()
		if g.opts.Place != nil {
			e.Place = g.opts.Place(info.RemoteIP)
		}
	}
	return e
}

// words are those of the request.
func (g *Guard) words(r *http.Request) Words {
	if g.opts.Words == nil {
		return English()
	}
	return g.opts.Words(r).whole()
}

// show writes the page.
func (g *Guard) show(w http.ResponseWriter, r *http.Request, s *session.Session, devices []SessionEntry, words Words) {
	p := SessionsPage{User: s.User(), Devices: devices, Words: words, r: r,
		Others: slices.ContainsFunc(devices, func(e SessionEntry) bool { return !e.Current })}
	if note, ok := endedJustNow.Get(s); ok {
		p.Ended = words.Ended(note.Sessions, note.Device)
	}
	if p.Others && !g.mayEnd(s) {
		p.Confirm = withWayBack(g.opts.ReloginPage, back(r, ""))
	}
	if g.opts.ShowSessions != nil {
		g.opts.ShowSessions(w, r, p)
		return
	}
	writePage(w, http.StatusOK, "sessions.html", p)
}
