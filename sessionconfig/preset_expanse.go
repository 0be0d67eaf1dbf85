package sessionconfig

import "time"

// expanse has its names at the top of config/session, or below session.
var expanse = preset{
	name: "expanse",
	aliases: []alias{
		{name: "name", key: "cookie.name"},
		{name: "path", key: "cookie.path"},
		{name: "domain", key: "cookie.domain", convert: noneAsNull},
		{name: "secure", key: "cookie.insecure", convert: not, allowed: aBool, about: "the opposite of ours"},
		{name: "http_only", key: "cookie.script_access", convert: not, allowed: aBool, about: "the opposite of ours"},
		{name: "same_site", key: "cookie.same_site"},
		{name: "lifetime", key: "idle_timeout", allowed: "minutes as a number, or " + aDuration,
			about:   "minutes without a request",
			convert: func(v any) (any, error) { return spelled(number(time.Minute))(v) }},
		{name: "clear_with_browser", key: "cookie.persistent", convert: not, allowed: aBool,
			about: "the opposite of ours"},
		{name: "secret_key", about: "used as if SESSION_SECRETS held it; at least 32 bytes", entry: secretKey},
	},
	defaults: []pair{
		{"store", storeDatabase}, {"cookie.name", "expanse_session"}, {"cookie.persistent", true},
		{"idle_timeout", "120m"},
	},
}

// spelled turns a duration back into the text that our key reads.
func spelled(parse func(any) (time.Duration, error)) func(any) (any, error) {
	return func(v any) (any, error) {
		d, err := parse(v)
		return d.String(), err
	}
}
