package devicebound

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/dbsc"
)

// What a browser makes of the status of an answer to a proof: 200 is a bound cookie, 403 asks for another proof, any
// other 4xx makes it forget the key, and after 5xx it tries again with the next request.
const (
	statusAgain  = http.StatusForbidden
	statusForget = http.StatusUnauthorized
	statusKeep   = http.StatusServiceUnavailable
)

const (
	errNoRegistration reason = "the session was offered no registration, or has one already, or the offer is over"
	errNoKey          reason = "the proof brings no key"
	errSecondKey      reason = "the proof of a registered key brings a key"
	errRSA            reason = "the key is of RSA, which Options.RSA does not allow"
	errAnotherSession reason = "the session is over, not bound, or not the one that the browser means"
	errNoUpdate       reason = "the session has ended meanwhile, or was signed in anew"
)

// exchange is a request of the protocol.
type exchange struct {
	b *Binder
	w http.ResponseWriter
	r *http.Request
	s *session.Session
	p *pinned
}

// pinned sees to it that a browser gets the status of the protocol. What the manager answers in its place, when the
// store has failed, is of the application's making, and a browser could take it as the end of the session.
type pinned struct {
	http.ResponseWriter
	status int // of the protocol
	sent   bool
}

func (p *pinned) WriteHeader(status int) {
	if status >= 200 && status != p.status && p.status == http.StatusOK {
		status = statusKeep
	} else if status >= 200 {
		status = p.status
	}
	p.sent = p.sent || status >= 200
	p.ResponseWriter.WriteHeader(status)
}

func (p *pinned) Write(text []byte) (int, error) {
	if !p.sent {
		p.WriteHeader(http.StatusOK)
	}
	return p.ResponseWriter.Write(text)
}

// endpoint serves one of the two paths. A request without the header that it is about is answered before anything is
// loaded, so that the time tells other sites nothing; and they get no header of CORS.
func (b *Binder) endpoint(serve func(*exchange, string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodPost {
			h.Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		about := dbsc.Response
		if r.URL.Path == b.opts.RefreshPath {
			about = dbsc.SessionID
		}
		text, err := dbsc.Text(r.Header[about])
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p := &pinned{ResponseWriter: w, status: statusKeep}
		b.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := &exchange{b: b, w: w, r: r, p: p}
			switch x.s, err = b.m.Load(r.Context()); {
			case errors.Is(err, session.ErrNoMiddleware): // Options.Skip: nobody is signed in here
				x.forget()
			case err != nil:
				x.keep()
			default:
				x.s.KeepIdle() // a script that only looks makes the browser come here, too
				serve(x, text)
			}
		})).ServeHTTP(p, r)
	})
}

func (x *exchange) answer(status int) {
	x.p.status = status
	x.w.WriteHeader(status)
}

// keep leaves the browser what it has.
func (x *exchange) keep() {
	x.w.Header().Set("Retry-After", "2")
	x.answer(statusKeep)
}

// end makes the browser forget the key.
func (x *exchange) end(why error) {
	x.b.report(x.r, EventProofFailed, x.s, why)
	x.forget()
}

func (x *exchange) forget() {
	x.w.Header().Set("WWW-Authenticate", "Session") // a 401 must have one
	x.answer(statusForget)
}

// storeTimeout is how long to wait for a store that hangs, the same as around a handler.
const storeTimeout = 5 * time.Second

// store changes the binding of the session, and saves it. change is called again on what another request left. The
// error is errNoUpdate when the session has ended.
func (x *exchange) store(change func(*binding) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), storeTimeout)
	defer cancel()
	ticket := x.s.Token()
	var refused error
	bindingKey.Update(x.s, func(text string) string {
		now, err := decode(text)
		if err == nil {
			err = change(&now)
		}
		if refused = err; err != nil {
			return text
		}
		return now.text()
	})
	err := x.s.Save(ctx)
	if errors.Is(err, session.ErrEnded) {
		_ = x.s.Reload(ctx) // drops what cannot be stored, so that nobody tries again
		if now, openErr := x.b.m.Open(ctx, ticket); openErr == nil && !now.Moved() {
			return errNoUpdate
		}
	}
	return errors.Join(err, refused)
}

// finish answers a proof that was good, when it is known whether it could be stored.
func (x *exchange) finish(of *binding, kind session.EventKind, err error) {
	switch {
	case errors.Is(err, errSpent):
		x.refuse(of, err)
		return
	case errors.Is(err, errNoUpdate):
		x.end(err)
		return
	case err == nil:
		err = x.b.setCookie(x.w.Header(), of)
	}
	if err != nil {
		x.b.report(x.r, EventProofFailed, x.s, err)
		x.keep()
		return
	}
	x.b.report(x.r, kind, x.s, nil)
	x.challenge(of)
	x.instruct(of)
}
