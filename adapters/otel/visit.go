package otelsession

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/felixge/httpsnoop"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Middleware goes around the manager's middleware, and counts its requests by outcome:
//
//	handler = telemetry.Middleware(sessions.Middleware)(handler)
//
// It measures the commit: from the first byte of the handler's response, or its return, until the response goes on. A
// request that has nothing to store has no commit. Whatever instruments the server, such as otelhttp, belongs outside,
// so that the spans have a parent.
func (t *Telemetry) Middleware(of func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		inner := of(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v := t.visitOf(r.Context())
			if v == nil { // something in between gave the request another context
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(beforeFirstByte(w, v.commits), r)
			v.commits(http.StatusOK)
		}))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if t.visitOf(r.Context()) != nil { // it stands around the handler twice
				inner.ServeHTTP(w, r)
				return
			}
			v := &visit{t: t, ctx: r.Context()}
			defer v.leave()
			own := r.WithContext(context.WithValue(v.ctx, visitKey{t}, v))
			defer handBack(r, own)
			inner.ServeHTTP(beforeFirstByte(w, v.answers), own)
			v.answers(http.StatusOK)
		})
	}
}

// handBack gives a request what was made of an upload in a copy of it: the server removes the files of the request that
// it knows, and of no copy.
func handBack(r, own *http.Request) {
	if r.MultipartForm == nil && own.MultipartForm != nil {
		r.MultipartForm = own.MultipartForm
	}
}

// visitKey finds the visit of a request in its context.
type visitKey struct{ t *Telemetry }

// visitOf returns nil outside of Middleware.
func (t *Telemetry) visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{t}).(*visit)
	return v
}

// phase is how far a request has come.
type phase uint8

const (
	handled phase = iota
	committed
	answered
	phases
)

// visit is what one request comes to. It is safe for concurrent use, as its context is.
type visit struct {
	t   *Telemetry
	ctx context.Context // of the request, and above its spans

	mu     sync.Mutex
	phase  phase
	since  time.Time  // when the commit began
	span   trace.Span // of the commit, which begins when it calls the store
	did    deed       // the most that was done
	own    int        // the status that the handler answers with; 0: it has not said one
	status int        // of the response; 0: it has not begun

	noted, refused [phases]string // what calls to the store came to that failed, and what the manager answered
}

// deed is what a request did to its session, the least first.
type deed uint8

const (
	untouched deed = iota
	read
	touched
	written
)

func (d deed) String() string { return [...]string{"untouched", "read", "touched", "written"}[d] }

// commits is told that the handler has done what can be stored.
func (v *visit) commits(status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.phase == handled {
		v.phase, v.since, v.own = committed, now(), status
	}
}

// answers is told that the response begins, be it the handler's or the manager's own.
func (v *visit) answers(status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.status == 0 {
		v.status = status
	}
	if v.phase == committed && v.span != nil {
		outcome := cmp.Or(v.refusal(committed), "ok")
		v.t.commits.Record(v.ctx, now().Sub(v.since).Seconds(),
			metric.WithAttributes(outcomeKey.String(outcome)))
		finish(v.span, outcome)
		v.span = nil
	}
	v.phase = answered
}

// below is a context for a call to the store: below the commit, if that is under way.
func (v *visit) below(ctx context.Context, ids []attribute.KeyValue) context.Context {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.phase != committed {
		return ctx
	}
	if v.span == nil {
		_, v.span = v.t.tracer.Start(ctx, "coatcheck commit",
			trace.WithTimestamp(v.since), trace.WithAttributes(ids...))
	}
	return trace.ContextWithSpan(ctx, v.span)
}

// note notes what a call to the store came to. A touch that fails refuses nobody.
func (v *visit) note(operation, outcome string) {
	did := read
	switch {
	case outcome != "ok":
	case operation == "touch":
		did = touched
	case operation == "save" || operation == "delete":
		did = written
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.did = max(v.did, did)
	if isFailure(outcome) && operation != "touch" {
		v.noted[v.phase] = outcome
	}
}

// fail notes that the manager answers with an error.
func (v *visit) fail(outcome string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refused[v.phase] = outcome
}

// refusal is why the visitor was refused in a phase, "" if they were not. A call to the store may fail and cost nobody
// anything: a renewal that is done later, or a save that the handler has repeated. Where it does, the word of the store
// says more than that of the manager. Without Errors the manager is silent, and an answer that is not the handler's
// tells that its commit failed.
func (v *visit) refusal(p phase) string {
	noted, refused := v.noted[p], v.refused[p]
	hungUp, answered := noted == "canceled", v.status > 0 && v.status < http.StatusInternalServerError ||
		p == committed && v.status == v.own
	if refused == "unavailable" && noted != "" || refused == "" && (hungUp || !answered) {
		return noted
	}
	return refused
}

// leave counts the request, also when its handler panicked.
func (v *visit) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.span != nil { // the store has panicked
		finish(v.span, "failed")
	}
	outcome := cmp.Or(v.refusal(committed), v.refusal(answered), v.refusal(handled), v.did.String())
	v.t.requests.Add(v.ctx, 1, metric.WithAttributes(outcomeKey.String(outcome)))
}

// beforeFirstByte calls begin with the status before whatever can send the first byte of the response, and before what
// comes later too.
func beforeFirstByte(w http.ResponseWriter, begin func(status int)) http.ResponseWriter {
	fn := func() { begin(http.StatusOK) }
	return httpsnoop.Wrap(w, httpsnoop.Hooks{
		WriteHeader: func(next httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
			return func(status int) {
				if status >= 200 || status == http.StatusSwitchingProtocols {
					begin(status)
				}
				next(status)
			}
		},
		Write: func(next httpsnoop.WriteFunc) httpsnoop.WriteFunc {
			return func(p []byte) (int, error) { fn(); return next(p) }
		},
		WriteString: func(next httpsnoop.WriteStringFunc) httpsnoop.WriteStringFunc {
			return func(s string) (int, error) { fn(); return next(s) }
		},
		ReadFrom: func(next httpsnoop.ReadFromFunc) httpsnoop.ReadFromFunc {
			return func(r io.Reader) (int64, error) { fn(); return next(r) }
		},
		Flush: func(next httpsnoop.FlushFunc) httpsnoop.FlushFunc {
			return func() { fn(); next() }
		},
		Hijack: func(next httpsnoop.HijackFunc) httpsnoop.HijackFunc {
			return func() (net.Conn, *bufio.ReadWriter, error) { fn(); return next() }
		},
	})
}
