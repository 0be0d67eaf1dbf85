package demo

import "strings"

// token is a part of a user agent and what it says.
type token struct{ part, name string }

// browser names the browser for people. Browsers claim to be each other, so the first that is found counts. It is a
// guess: a client sends what it likes.
func browser(userAgent string) string {
	name := first(userAgent, []token{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"},
	})
	if name == "" {
		name, _, _ = strings.Cut(userAgent, "/")
		if name == "" {
			return "Unknown browser"
		}
		return name
	}
	system := first(userAgent, []token{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"},
		{"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	if system == "" {
		return name
	}
	return name + " on " + system
}

func first(text string, tokens []token) string {
	for _, t := range tokens {
		if strings.Contains(text, t.part) {
			return t.name
		}
	}
	return ""
}
