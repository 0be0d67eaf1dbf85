package sessionconfig

import (
	"errors"
	"strconv"
	"time"
)

// authx has the arguments of the middleware's constructor.
var authx = preset{
	name: "authx",
	aliases: []alias{
		{name: "secret_key", about: "used as if SESSION_SECRETS held it; at least 32 bytes", entry: secretKey},
		{name: "store", key: "store", convert: authxStore, allowed: "the name of a store",
			about: "MemoryIO means memory"},
		{name: "http_only", key: "cookie.script_access", convert: not, allowed: aBool, about: "the opposite of ours"},
		{name: "secure", key: "cookie.insecure", convert: not, allowed: aBool, about: "the opposite of ours"},
		{name: "max_age", entry: authxMaxAge,
			about: "seconds: lifetime, with cookie.persistent; 0: cookie.persistent is false"},
		{name: "session_cookie", key: "cookie.name"},
		{name: "cookie_path", key: "cookie.path"},
		{name: "session_object", about: "Config.Object; in Go the session is what the manager's Load returns",
			entry: authxObject},
		{name: "skip_session_header", key: "skip_headers"},
		{name: "logger", key: "log.format", convert: authxLogger, allowed: "true, false, text or json",
			about: "true means text; an instance is Options.Logger"},
	},
	defaults: []pair{{"store", storeMemory}, {"cookie.name", "sid"}},
	finish: func(b *builder) {
		if isSet(b, authxMaxAge.Name) {
			b.cfg.maxAge.spread(b)
		}
	},
}

var authxObject = &entry{Key: Key{Name: "session_object", Allowed: "a name"},
	set: to(name, func(c *Config, _ string) *string { return &c.Object })}

// authxStore also reads the class of the document.
func authxStore(v any) (any, error) {
	if v == "MemoryIO" || v == "MemoryIO()" {
		return storeMemory, nil
	}
	return v, nil
}

var authxMaxAge = &entry{Key: Key{Name: "max_age",
	Allowed: "seconds as a number, 0 for the end of the browser session, or " + aDuration},
	set: to(func(v any) (maxAge, error) {
		if n, err := whole(v); err == nil && n == 0 {
			return 0, nil
		}
		d, err := number(time.Second)(v)
		return maxAge(d), err
	}, func(c *Config, _ string) *maxAge { return &c.maxAge })}

// maxAge is the end of both: the cookie, and the record, which AuthX refuses after that time too. 0: the cookie ends
// with the browser.
type maxAge time.Duration

// spread says in our keys when a session ends.
func (a maxAge) spread(b *builder) {
	from := authxMaxAge.Name
	b.derive("cookie.persistent", strconv.FormatBool(a > 0), from)
	if a > 0 {
		b.derive("lifetime", time.Duration(a).String(), from)
		b.derive("idle_timeout", "never", b.preset.source())
	}
}

func authxLogger(v any) (any, error) {
	switch v {
	case true, "true":
		return "text", nil
	case false, "false":
		return "none", nil
	case "text", "json", "none":
		return v, nil
	}
	return nil, errors.New("")
}
