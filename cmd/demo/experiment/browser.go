package experiment

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// browser is a client of the stage with cookies of its own.
type browser struct {
	stage *stage
	name  string
	agent string
	jar   http.CookieJar

	device *device // nil: it binds no sessions
}

// What the browsers of the experiments send.
const (
	desk   = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
	phone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"
	tablet = "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
)

func (s *stage) browser(name, agent string) *browser {
	jar, _ := cookiejar.New(nil) // which never fails without options
	return &browser{stage: s, name: name, agent: agent, jar: local{jar}}
}

// local is a jar that takes the site of an experiment for a secure one, as browsers do with localhost.
type local struct{ http.CookieJar }

func (l local) SetCookies(u *url.URL, list []*http.Cookie) { l.CookieJar.SetCookies(secure(u), list) }
func (l local) Cookies(u *url.URL) []*http.Cookie          { return l.CookieJar.Cookies(secure(u)) }

func secure(u *url.URL) *url.URL { return &url.URL{Scheme: "https", Host: u.Host, Path: u.Path} }

// copy is another client with the cookies that the browser has now: a thief, or a request that is sent at this moment.
func (b *browser) copy(name string) *browser {
	other := b.stage.browser(name, b.agent)
	if u, err := url.Parse(b.stage.url); err == nil {
		other.jar.SetCookies(u, b.jar.Cookies(u))
	}
	return other
}

// does sends a request, and waits for its answer. A request that gets none has the status 0.
func (b *browser) does(what string, p page) Request {
	b.prove(b.stage.ctx)
	return b.begins(what, p)()
}

// begins makes a request, and returns a function that sends it and waits. It stands in the notes where it was made.
func (b *browser) begins(what string, p page) (send func() Request) {
	step, path := b.stage.add(p, b.name, what)
	return func() Request {
		says := b.send(b.stage.ctx, path)
		b.stage.mu.Lock()
		defer b.stage.mu.Unlock()
		step.note.Says = says
		return step.note
	}
}

func (b *browser) send(ctx context.Context, path string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.stage.url+path, nil)
	if err != nil {
		return err.Error()
	}
	says, h := b.exchange(req)
	b.take(ctx, h)
	return says
}

// exchange sends a request with the cookies of the browser, and returns what the answer says.
func (b *browser) exchange(req *http.Request) (string, http.Header) {
	req.Header.Set("User-Agent", b.agent)
	client := http.Client{Jar: b.jar, Transport: transport}
	resp, err := client.Do(req)
	if err != nil {
		return "no answer", nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return "no answer", nil
	}
	return string(text), resp.Header
}

// transport keeps no connections: each request of an experiment is one of its own, and a proxy has no part in it.
var transport = &http.Transport{DisableKeepAlives: true}
