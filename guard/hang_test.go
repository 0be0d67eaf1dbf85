package guard_test

import (
	"context"
	"errors"
	"fmt"
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

// tiring is a store on a server that answers at once for a while.
type tiring struct {
	*memstore.Store
	answers atomic.Int64 // how many calls it still answers
	then    func(context.Context) error
}

// Local reports that its calls may wait.
func (*tiring) Local() bool { return false }

func (h *tiring) wait(ctx context.Context) error {
	if h.answers.Add(-1) >= 0 {
		return nil
	}
	return h.then(ctx)
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

// deeds are requests of a user who is signed in on two devices, and the handlers that answer them.
var deeds = map[string]func(*rig, *visitor) (http.Handler, *http.Request){
	"a page with a form": func(r *rig, _ *visitor) (http.Handler, *http.Request) {
		page := func(_ http.ResponseWriter, r *http.Request) { guard.CSRFToken(r) }
		return r.CSRF(http.HandlerFunc(page)), request("GET", "/")
	},
	"the list": func(r *rig, _ *visitor) (http.Handler, *http.Request) { return r.Sessions(), request("GET", "/") },
	"an end": func(r *rig, _ *visitor) (http.Handler, *http.Request) {
		return r.Sessions(), form(url.Values{"id": {r.signIn("ada").id()}})
	},
	"an end of all others": func(r *rig, _ *visitor) (http.Handler, *http.Request) {
		r.signIn("ada")
		return r.Sessions(), form(url.Values{"others": {"1"}})
	},
	"a deed that was confirmed": func(r *rig, v *visitor) (http.Handler, *http.Request) {
		b := newBank(r)
		if err := v.confirm(operation(r.t, v.post(b, "/", to("bob"), asJSON, same)).ID); err != nil {
			r.t.Fatal(err)
		}
		return b, form(to("bob"))
	},
	"a request that is counted": func(r *rig, _ *visitor) (http.Handler, *http.Request) {
		return r.Rate(guard.Limit{Requests: 9, Per: time.Minute})(inside), request("GET", "/")
	},
	"a sign-in": func(r *rig, _ *visitor) (http.Handler, *http.Request) {
		return doorOf(r).form, form(url.Values{"user": {"ann"}, "password": {right}})
	},
}

func form(fields url.Values) *http.Request {
	req := httptest.NewRequest("POST", site+"/", strings.NewReader(fields.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return req
}

// impatient is a request whose client hangs up after a while. That is no deadline: a browser sets none.
func impatient(req *http.Request, patience time.Duration) *http.Request {
	ctx, cancel := context.WithCancel(req.Context())
	time.AfterFunc(patience, cancel)
	return req.WithContext(ctx)
}

// Whatever is asked of a store that hangs, and whenever it begins to.
func TestAStoreThatHangsHoldsNoVisitorUp(t *testing.T) {
	never := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	eachDeed(t, time.Minute, never, func(deed string, status int, took time.Duration) {
		if took >= time.Minute/2 || status >= 400 && status != 503 {
			t.Errorf("%s: status %d after %v", deed, status, took)
		}
	})
}

// Most drivers close the connection on which a call ends that nobody waits for any more, and whoever sends requests and
// hangs up would cost the site one after the other.
func TestNoCallOfAStoreEndsWithTheClient(t *testing.T) {
	var ended atomic.Bool
	slow := func(ctx context.Context) error {
		time.Sleep(2 * time.Second)
		if errors.Is(ctx.Err(), context.Canceled) {
			ended.Store(true)
		}
		return ctx.Err()
	}
	eachDeed(t, time.Second, slow, func(deed string, _ int, _ time.Duration) {
		if ended.Swap(false) {
			t.Errorf("%s: a call has ended with the client", deed)
		}
	})
}

// eachDeed has each deed done by a client who hangs up after a while, on a store that answers at once so often, and
// then as given. fn gets the status, and how long the client would have waited.
func eachDeed(t *testing.T, patience time.Duration, then func(context.Context) error,
	fn func(deed string, status int, took time.Duration)) {
	t.Helper()
	for name, prepare := range deeds {
		for answers := range int64(8) {
			synctest.Test(t, func(t *testing.T) {
				store := &tiring{Store: memstore.New(memstore.Options{}), then: then}
				store.answers.Store(math.MaxInt64)
				c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
				r := newRigOn(t, store, c, guard.Options{}, func(o *session.Options) {
					o.Logger = slog.New(slog.DiscardHandler)
				})
				v := r.signIn("ada")
				h, req := prepare(r, v)
				store.answers.Store(answers)
				began := time.Now()
				w := v.send(h, impatient(req, patience))
				fn(fmt.Sprintf("%s, after %d answers", name, answers), w.Code, time.Since(began))
			})
		}
	}
}
