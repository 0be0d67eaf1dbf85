package guard_test

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// tiring is a store on a server that answers for a while, and then no more: a call ends with its context.
type tiring struct {
	*memstore.Store
	answers atomic.Int64 // how many calls it still answers
}

// Local reports that its calls may wait.
func (*tiring) Local() bool { return false }

func (h *tiring) wait(ctx context.Context) error {
	if h.answers.Add(-1) >= 0 {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (h *tiring) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := h.wait(ctx); err != nil {
		return nil, err
	}
	return h.Store.Load(ctx, id)
}

func (h *tiring) Save(ctx context.Context, rec *session.Record) error {
	if err := h.wait(ctx); err != nil {
		return err
	}
	return h.Store.Save(ctx, rec)
}

func (h *tiring) Delete(ctx context.Context, id string) error {
	if err := h.wait(ctx); err != nil {
		return err
	}
	return h.Store.Delete(ctx, id)
}

func (h *tiring) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if err := h.wait(ctx); err != nil {
		return nil, err
	}
	return h.Store.ByUser(ctx, user)
}

// patience is how long a visitor waits who gives up only then. It is no deadline: a browser sets none.
const patience = time.Minute

// deeds are requests of a user who is signed in on two devices, each made anew on a store.
var deeds = map[string]func(*rig, *visitor) func() *httptest.ResponseRecorder{
	"a page with a form": func(r *rig, v *visitor) func() *httptest.ResponseRecorder {
		page := r.CSRF(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { guard.CSRFToken(r) }))
		return func() *httptest.ResponseRecorder { return v.send(page, impatient(request("GET", "/"))) }
	},
	"the list": func(r *rig, v *visitor) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder { return v.send(r.Sessions(), impatient(request("GET", "/"))) }
	},
	"an end": func(r *rig, v *visitor) func() *httptest.ResponseRecorder {
		id := r.signIn("ada").id()
		return func() *httptest.ResponseRecorder {
			return v.send(r.Sessions(), impatient(form(url.Values{"id": {id}})))
		}
	},
	"an end of all others": func(r *rig, v *visitor) func() *httptest.ResponseRecorder {
		r.signIn("ada")
		return func() *httptest.ResponseRecorder {
			return v.send(r.Sessions(), impatient(form(url.Values{"others": {"1"}})))
		}
	},
	"a deed that was confirmed": func(r *rig, v *visitor) func() *httptest.ResponseRecorder {
		b := newBank(r)
		if err := v.confirm(operation(r.t, v.post(b, "/", to("bob"), asJSON, same)).ID); err != nil {
			r.t.Fatal(err)
		}
		return func() *httptest.ResponseRecorder { return v.send(b, impatient(form(to("bob")))) }
	},
}

func form(fields url.Values) *http.Request {
	req := httptest.NewRequest("POST", site+"/", strings.NewReader(fields.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return req
}

// impatient is a request whose client gives up after a while.
func impatient(req *http.Request) *http.Request {
	ctx, cancel := context.WithCancel(req.Context())
	time.AfterFunc(patience, cancel)
	return req.WithContext(ctx)
}

// Whatever is asked of a store that hangs, and whenever it begins to.
func TestAStoreThatHangsHoldsNoVisitorUp(t *testing.T) {
	for name, prepare := range deeds {
		for answers := range int64(8) {
			synctest.Test(t, func(t *testing.T) {
				store := &tiring{Store: memstore.New(memstore.Options{})}
				store.answers.Store(math.MaxInt64)
				c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
				r := newRigOn(t, store, c, guard.Options{}, func(o *session.Options) {
					o.Logger = slog.New(slog.DiscardHandler)
				})
				do := prepare(r, r.signIn("ada"))
				store.answers.Store(answers)
				began := time.Now()
				w := do()
				if took := time.Since(began); took >= patience/2 || w.Code >= 400 && w.Code != 503 {
					t.Errorf("%s, after %d answers: status %d after %v", name, answers, w.Code, took)
				}
			})
		}
	}
}
