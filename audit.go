package session

import (
	"context"
	"log/slog"
	"net/http"
)

// Finding is the result of one check of Audit.
type Finding struct {
	Name   string
	Pass   bool
	Advice string // what to change; also there when the check passed, as its reason
}

// Audit checks the options against the practices of docs/security.md, and says for each which option to change. It reads
// options only.
func (m *Manager) Audit() []Finding {
	c, o := m.opts.Cookie, m.opts
	_, byCookie := m.transport.(cookieTransport)
	return []Finding{
		{"cookie-secure", !byCookie || !c.Insecure, "Cookie.Insecure: leave it unset where people sign in, so that the ticket travels over HTTPS only"},
		{"cookie-httponly", !byCookie || !c.ScriptAccess, "Cookie.ScriptAccess: leave it unset, so that injected scripts cannot read the ticket"},
		{"cookie-samesite", !byCookie || c.SameSite != http.SameSiteNoneMode, "Cookie.SameSite: use Lax or Strict unless the site is embedded in others"},
		{"cookie-host-prefix", !byCookie || c.hostPrefixed(), "Cookie.Name: use the prefix __Host-, so that sibling hosts cannot plant the cookie, and leave names without it out of FormerNames"},
		{"cookie-domain", !byCookie || c.Domain == "", "Cookie.Domain: leave it empty unless subdomains share the session"},
		{"cookie-path", !byCookie || c.Path == "/", "Cookie.Path: leave it empty; a path keeps no other application on the host out, so give each a host of its own, and use the prefix __Host-"},
		{"cookie-partitioned", !byCookie || c.SameSite != http.SameSiteNoneMode || c.Partitioned, "Cookie.Partitioned: set it where SameSite is None, so that embedded sessions are kept apart"},
		{"idle-timeout", o.IdleTimeout > 0, "IdleTimeout: set one, so that a forgotten session ends"},
		{"absolute-lifetime", o.Lifetime > 0, "Lifetime: set one, so that a stolen session ends however much it is used"},
		{"id-renewal", o.RenewEvery > 0, "RenewEvery: set it, so that a copied ticket is noticed when it is used after the renewal"},
		{"sealed-at-rest", o.Seal || m.carried != nil, "Seal: set it, so that a copy of the store shows no values"},
		{"unsealed-refused", o.RequireSealed || m.carried != nil, "RequireSealed: set it when the last session from before Seal is over"},
		{"sessions-can-be-listed", m.lister != nil, "store: use one that can list, so that people can see and end their sessions"},
		{"logout-is-final", m.carried == nil || m.carried.remembers, "cookiestore.Options.Revocations: set it, or use a store on the server, so that a copied cookie ends at the logout"},
		{"no-write-is-lost", m.carried == nil, "store: use one on the server where parallel requests change one session; cookies overwrite each other"},
		{"expired-removed", m.carried != nil && !m.carried.remembers || m.sweeper != nil && o.SweepEvery > 0, "SweepEvery: leave it at 0 or set it, or call Sweep from a job"},
		{"events-watched", o.OnEvent != nil || o.Logger.Enabled(context.Background(), slog.LevelWarn), "OnEvent or Logger: set one, so that rejected and reused tickets are noticed"},
	}
}
