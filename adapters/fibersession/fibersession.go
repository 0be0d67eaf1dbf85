package fibersession

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/coatcheck/session"
)

// Use is [session.Manager.Preload] for Fiber: handlers after it get the session with [From]. If the session cannot be
// loaded or stored, the response is that of Options.OnError, and of the handler's response only the headers remain that
// do not belong to its body. Using it twice is harmless, and several managers may stand one after the other.
func Use(m *session.Manager) fiber.Handler {
	return func(c fiber.Ctx) error {
		a := &answer{c: c}
		a.readHeader()
		r, end := requestOf(c)
		defer a.sendHeader() // even if the handlers panic: whoever recovers sends a response
		m.Preload(http.HandlerFunc(a.next)).ServeHTTP(a, r)
		if a.timedOut() != nil {
			defer end() // fasthttp does it for every other request
		}
		return a.send()
	}
}

// From returns the session of the request. It is never nil: without Use before the handler it is an empty one that is
// not stored, as [session.From] says. To functions that take a context, such as [session.Manager.Load] of an outer
// manager, give c.Context(). A goroutine that outlives the handler may keep the session, but not c.
func From(c fiber.Ctx) *session.Session { return session.From(c.Context()) }

// answer is the response as the manager sees it. Fiber keeps its own whole until the handlers have returned, so that
// the manager's headers come then, and its answer, if it has one, takes the place of theirs.
type answer struct {
	c      fiber.Ctx
	before http.Header // as they were when the manager got them
	header http.Header
	err    error // of the handlers
	status int   // of the manager's own answer; 0: it has none
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// next calls the handlers that come after Use.
func (a *answer) next(_ http.ResponseWriter, r *http.Request) {
	defer a.readHeader()
	a.c.SetContext(handlers{a.c.Context(), context.WithoutCancel(r.Context())})
	a.err = a.c.Next()
}

// timedOut is the response that fasthttp sends in place of the request's own when its time was over, nil if it was not.
// The handler may go on with its own.
func (a *answer) timedOut() *fasthttp.Response { return a.c.RequestCtx().LastTimeoutErrorResponse() }

// response is the one that is sent.
func (a *answer) response() *fasthttp.Response {
	if resp := a.timedOut(); resp != nil {
		return resp
	}
	return a.c.Response()
}

// readHeader copies the header that Fiber has.
func (a *answer) readHeader() {
	a.before = http.Header{}
	for key, value := range a.response().Header.All() {
		a.before.Add(string(key), string(value))
	}
	a.header = a.before.Clone()
}

// send gives Fiber the manager's answer, if it has one, and returns the error of the handlers otherwise.
func (a *answer) send() error {
	if a.status != 0 {
		resp := a.response()
		a.c.RequestCtx().Hijack(nil)
		resp.ResetBody()
		resp.SetStatusCode(a.status)
		resp.SetBodyRaw(a.body.Bytes())
		a.err = nil // the error is answered, and Fiber would answer it again
		for _, upgrade := range []string{"Connection", "Upgrade", "Sec-Websocket-Accept", "Sec-Websocket-Protocol"} {
			a.header.Del(upgrade)
		}
	}
	return a.err
}

// sendHeader gives Fiber the headers that the manager has changed.
func (a *answer) sendHeader() {
	resp := a.response()
	keys := maps.Clone(a.before)
	maps.Copy(keys, a.header)
	for key := range keys {
		if values := a.header[key]; !slices.Equal(values, a.before[key]) {
			remove(&resp.Header, key)
			for _, v := range values {
				resp.Header.Add(key, v)
			}
		}
	}
}

// remove removes a header in every spelling: with DisableHeaderNormalizing, Fiber keeps the one of the handler.
func remove(h *fasthttp.ResponseHeader, key string) {
	var names []string
	for name := range h.All() {
		if strings.EqualFold(string(name), key) {
			names = append(names, string(name))
		}
	}
	for _, name := range names {
		h.Del(name)
	}
}
