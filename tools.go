package session

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/life"
)

// Content is a value in a record, as [Manager.Contents] finds it.
type Content struct {
	Key   string
	Size  int   // of the encoded value, in bytes
	Value any   // as Session.Get returns it
	Err   error // it does not decode; the error does not contain it
}

// Contents opens a live record that a store has loaded, and returns what it holds, sorted by key and without the
// library's own keys. stale says that an older secret signed or sealed the record, or that it is sealed although the
// options do not ask for that, or not sealed although they do. Contents is for tools that operate a site; a visitor's
// session is opened by its ticket. The error wraps ErrCorrupt when the record does not open with the secrets of this
// manager, or ErrNotSupported when its store keeps no records.
func (m *Manager) Contents(rec *Record) (list []Content, stale bool, err error) {
	st, stale, err := m.keeper.Contents((*life.Record)(rec))
	if err != nil {
		return nil, false, err
	}
	st.Each(func(key string, raw []byte) {
		c := Content{Key: key, Size: len(raw)}
		if c.Value, err = data.Value(m.opts.Codec, raw); err != nil {
			c.Err = &DecodeError{Path: Path(key), Err: err}
		}
		list = append(list, c)
	})
	slices.SortFunc(list, func(a, b Content) int { return cmp.Compare(a.Key, b.Key) })
	return list, stale, nil
}

// Reseal returns a copy of a record, signed or sealed again with this manager's newest secret, for a store to keep
// after the given version; 0 is for a record that is not there yet. Nothing else changes, so the ticket of the session
// still opens it. It is for tools that move records between stores, or retire a secret. Every manager that may find the
// record must know that secret by then: to another it is a forgery. The errors are those of Contents.
func (m *Manager) Reseal(rec *Record, version uint64) (*Record, error) {
	out, err := m.keeper.Reseal((*life.Record)(rec), version)
	return (*Record)(out), err
}

// Finding is the result of one check of Audit.
type Finding struct {
	Name   string
	Pass   bool
	Advice string // what was found when the check passed; otherwise the option, a colon, and what to change
}

// finding has what was found, or advice, whichever fits.
func finding(name string, pass bool, found, advice string) Finding {
	if pass {
		advice = found
	}
	return Finding{name, pass, advice}
}

// Audit checks the options against the practices in docs/security.md, and says for each what it found, or which option
// to change. It looks only at the options, at what the store can do, and at what SetBinding was given.
func (m *Manager) Audit() []Finding {
	list := append(append(m.auditCookie(), m.auditTimes()...), m.auditStore()...)
	if b := m.binding.Load(); b != nil && b.Finding.Name != "" {
		list = append(list, b.Finding)
	}
	return list
}

func (m *Manager) auditCookie() []Finding {
	c := m.opts.Cookie
	_, byCookie := m.cookie()
	cookie := func(name string, pass bool, found, advice string) Finding {
		if !byCookie {
			pass, found = true, "no cookie carries the ticket"
		}
		return finding(name, pass, found, advice)
	}
	elsewhere := c.SameSite == http.SameSiteNoneMode
	return []Finding{
		cookie("cookie-secure", !c.Insecure, "the ticket travels over HTTPS only",
			"Cookie.Insecure: leave it unset where people sign in, so that the ticket travels over HTTPS only"),
		cookie("cookie-httponly", !c.ScriptAccess, "scripts cannot read the ticket",
			"Cookie.ScriptAccess: leave it unset, so that injected scripts cannot read the ticket"),
		cookie("cookie-samesite", !elsewhere, "other sites cannot send the ticket with their forms",
			"Cookie.SameSite: use Lax or Strict unless the site is embedded in others"),
		cookie("cookie-host-prefix", c.hostPrefixed(), "the names of the cookie begin with __Host-",
			"Cookie.Name: use the prefix __Host-, so that sibling hosts cannot plant the cookie, and leave names "+
				"without it out of FormerNames"),
		cookie("cookie-domain", c.Domain == "", "only this host gets the cookie",
			"Cookie.Domain: leave it empty unless subdomains share the session"),
		cookie("cookie-path", c.Path == "/", "the whole host gets the cookie",
			"Cookie.Path: leave it empty; a path keeps no other application on the host out, so give each a host "+
				"of its own, and use the prefix __Host-"),
		cookie("cookie-partitioned", !elsewhere || c.Partitioned,
			"the cookie is not shared between the sites that embed this one",
			"Cookie.Partitioned: set it where other sites may send the cookie, so that embedded sessions are kept "+
				"apart"),
	}
}

func (m *Manager) auditTimes() []Finding {
	o := m.opts
	after := func(d time.Duration, what string) string { return what + " " + d.String() }
	return []Finding{
		finding("idle-timeout", o.IdleTimeout > 0, after(o.IdleTimeout, "a session that nobody uses ends after"),
			"IdleTimeout: set one, so that a forgotten session ends"),
		finding("absolute-lifetime", o.Lifetime > 0, after(o.Lifetime, "every session ends after"),
			"Lifetime: set one, so that a stolen session ends however much it is used"),
		finding("id-renewal", o.RenewEvery > 0, after(o.RenewEvery, "an id is renewed after"),
			"RenewEvery: set it, so that a copied ticket is noticed when it is used after the renewal"),
		m.auditAssurance(),
	}
}

func (m *Manager) auditStore() []Finding {
	o, is := m.opts, m.keeper.Records.Traits()
	return []Finding{
		finding("sealed-at-rest", o.Seal || !is.Kept, "a copy of the store shows no values",
			"Seal: set it, so that a copy of the store shows no values"),
		finding("unsealed-refused", o.RequireSealed || !is.Kept, "a record that is not sealed is refused",
			"RequireSealed: set it when the last session is over that was not sealed"),
		finding("sessions-can-be-listed", m.keeper.CanList() == nil, "the store lists the sessions of a user",
			"store: use one that can list, so that people can see and end their sessions"),
		finding("logout-is-final", is.Final, "the server knows which sessions have ended",
			"cookiestore.Options.Revocations: set it, or use a store on the server, so that a copied cookie ends "+
				"at the logout"),
		finding("no-write-is-lost", is.Kept, "the changes of two parallel requests are both kept",
			"store: use one on the server where parallel requests change one session; cookies overwrite each other"),
		finding("expired-removed", !is.Final || m.keeper.CanSweep() && o.SweepEvery > 0, m.sweeps(),
			"SweepEvery: leave it unset, or remove what has expired by a job"),
		finding("events-watched", o.OnEvent != nil || o.Logger.Enabled(context.Background(), slog.LevelWarn),
			"reused tickets are reported",
			"OnEvent or Logger: set one, so that reused tickets are noticed"),
	}
}

// sweeps says how expired records go.
func (m *Manager) sweeps() string {
	if !m.keeper.Records.Traits().Final {
		return "the server keeps no records"
	}
	return "expired records are removed every " + m.opts.SweepEvery.String()
}

// RevokeWhere is RevokeUserFor for those sessions of a user for which the function returns true, such as those that
// began by one way of signing in. A session that changes meanwhile is judged by its newest state. The function must
// only read, and may be called more than once for a session, from several goroutines, but never twice at the same time.
// The errors are those of RevokeUserFor, and ErrNotSupported with cookiestore, which does not know what its sessions
// hold.
func (m *Manager) RevokeWhere(ctx context.Context, why Reason, user string, which func(*Session) bool) (int, error) {
	e := life.Ending{Why: life.Reason(why), Told: true, Of: user, If: func(rec *life.Record) bool {
		s := m.newSession(ctx, nil)
		s.isNew = false
		var err error
		s.draft, err = m.keeper.Opened(rec)
		return err == nil && which(s)
	}}
	if err := cmp.Or(life.CheckReason(e.Why), m.keeper.CanList()); err != nil {
		return 0, err
	}
	return m.keeper.Records.RevokeUser(ctx, e, nil)
}

// Sweep removes expired records from the store, in batches, and says how many: sessions, and what retired ids left
// behind. Sessions end on time without it; it frees space. The error wraps ErrNotSupported if the store cannot sweep,
// or ErrUnavailable.
func (m *Manager) Sweep(ctx context.Context) (int, error) { return m.keeper.Sweep(ctx) }
