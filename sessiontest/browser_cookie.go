package sessiontest

import (
	"net/http"
	"time"
)

// keep is called with the lock held.
func (b *Browser) keep(c *http.Cookie) {
	switch {
	case c.MaxAge < 0:
		delete(b.cookies, c.Name)
	case c.MaxAge > 0:
		b.cookies[c.Name] = &keptCookie{c, b.now().Add(time.Duration(c.MaxAge) * time.Second)}
	default:
		b.cookies[c.Name] = &keptCookie{c, c.Expires}
	}
}

// cookie returns one that has not ended. It is called with the lock held.
func (b *Browser) cookie(name string) *keptCookie {
	c := b.cookies[name]
	if c == nil || !c.until.IsZero() && !b.now().Before(c.until) {
		return nil
	}
	return c
}

// Cookie is the value of a cookie that the browser would send, "" for none.
func (b *Browser) Cookie(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.cookie(name); c != nil {
		return c.Value
	}
	return ""
}

// SetCookie gives the browser a cookie of that value, or takes it away if the value is "".
func (b *Browser) SetCookie(name, value string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if value == "" {
		delete(b.cookies, name)
		return
	}
	b.cookies[name] = &keptCookie{Cookie: &http.Cookie{Name: name, Value: value, SameSite: http.SameSiteLaxMode}}
}

// addCookies adds those that go with a request.
func (b *Browser) addCookies(r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.cookies {
		if c := b.cookie(name); c != nil && goesWith(r, c.SameSite) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
}

// goesWith reports whether a cookie goes with a request that another site may have made.
func goesWith(r *http.Request, mode http.SameSite) bool {
	if r.Header.Get("Sec-Fetch-Site") != "cross-site" || mode == http.SameSiteNoneMode {
		return true
	}
	link := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	return link && mode != http.SameSiteStrictMode
}
