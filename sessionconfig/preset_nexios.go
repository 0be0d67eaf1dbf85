package sessionconfig

import "time"

// legacy is what two names of Nexios say together.
type legacy struct {
	expiration time.Duration
	refresh    bool
}

// cookieNames are the names of Nexios that need no preset in the environment.
var cookieNames = preset{name: "nexios", anyCase: true, prefix: "session_", aliases: nexiosCookie}

var nexiosCookie = []alias{
	{name: "session_cookie_name", key: "cookie.name"},
	{name: "session_cookie_domain", key: "cookie.domain", convert: noneAsNull},
	{name: "session_cookie_path", key: "cookie.path"},
	{name: "session_cookie_secure", key: "cookie.insecure", convert: not, allowed: aBool,
		about: "the opposite of ours"},
	{name: "session_cookie_httponly", key: "cookie.script_access", convert: not, allowed: aBool,
		about: "the opposite of ours"},
	{name: "session_cookie_samesite", key: "cookie.same_site"},
	{name: "session_cookie_partitioned", key: "cookie.partitioned", about: "also makes the cookie Secure, unless " +
		"session_cookie_secure says no"},
}

// nexios has its names in lower or upper case, at the top or below session, and there without session_ too.
var nexios = preset{
	name: "nexios", anyCase: true, prefix: "session_",
	aliases: append(append([]alias{}, nexiosCookie...),
		alias{name: "session_expiration_time", about: "minutes; lifetime, or idle_timeout where " +
			"session_refresh_each_request is true", entry: nexiosExpiration},
		alias{name: "session_permanent", key: "cookie.persistent", about: "the cookie survives closing the browser"},
		alias{name: "session_refresh_each_request", about: "every request moves the end of the session; touch_every " +
			"is then always", entry: nexiosRefresh},
		alias{name: "session_manager", key: "store", about: "cookies, file, or any name of a store"},
		alias{name: "session_dir", key: "stores.file.path"},
		alias{name: "session_file_storage_path", key: "stores.file.path"},
		alias{name: "backend", key: "store", about: "the name given to Register for a store of your own"},
		alias{name: "secret_key", about: "used as if SESSION_SECRETS held it; at least 32 bytes", entry: secretKey},
	),
	defaults: []pair{
		{"cookie.name", "sessionid"}, {"cookie.insecure", true}, {"store", storeFile}, {"stores.file.path", "sessions"},
	},
	finish: func(b *builder) {
		if b.cfg.Options.Cookie.Partitioned && !isSet(b, "cookie.insecure") {
			b.derive("cookie.insecure", "false", "session_cookie_partitioned")
		}
		b.cfg.legacy.spread(b)
	},
}

// nexiosDefault is the 1440 minutes of the documents.
const nexiosDefault = 24 * time.Hour

// spread says in our keys when a session ends. One that is refreshed has no end by itself but the lifetime that every
// session has.
func (l legacy) spread(b *builder) {
	from, brought := nexiosExpiration.Name, b.preset.source()
	if l.expiration == 0 {
		l.expiration, from = nexiosDefault, brought
	}
	if !l.refresh {
		b.derive("lifetime", l.expiration.String(), from)
		b.derive("idle_timeout", "never", brought)
		return
	}
	b.derive("idle_timeout", l.expiration.String(), from)
	b.derive("lifetime", max(l.expiration, 30*24*time.Hour).String(), brought)
	b.derive("touch_every", "always", "session_refresh_each_request")
}

var nexiosExpiration = &entry{Key: Key{Name: "session_expiration_time",
	Allowed: "minutes as a number, or " + aDuration},
	set: to(number(time.Minute), func(c *Config, _ string) *time.Duration { return &c.legacy.expiration })}

var nexiosRefresh = &entry{Key: Key{Name: "session_refresh_each_request", Allowed: aBool},
	set: to(boolean, func(c *Config, _ string) *bool { return &c.legacy.refresh })}
