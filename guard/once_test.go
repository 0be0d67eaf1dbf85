package guard_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// transfer describes what a form wants.
func transfer(r *http.Request) string {
	return "Send " + r.FormValue("sum") + " to " + r.FormValue("to")
}

// bank counts what it does.
type bank struct {
	http.Handler
	done atomic.Int32
}

func newBank(r *rig) *bank {
	b := &bank{}
	b.Handler = r.Once("transfer", transfer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.done.Add(1)
		_, _ = io.WriteString(w, r.PostFormValue("sum"))
	}))
	return b
}

func to(who string) url.Values { return url.Values{"to": {who}, "sum": {"100"}} }

// operation is what an answer asks to confirm.
func operation(t *testing.T, w *httptest.ResponseRecorder) guard.Operation {
	t.Helper()
	wantProblem(t, w, 401, guard.NotConfirmed)
	var p struct{ Operation guard.Operation }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	return p.Operation
}

// confirm confirms what is asked about.
func (v *visitor) confirm(id string) (err error) {
	v.r.t.Helper()
	v.with(func(s *session.Session) { err = v.r.Confirm(s, id, "otp") })
	return err
}

func (v *visitor) asked() (list []guard.Operation) {
	v.r.t.Helper()
	v.with(func(s *session.Session) { list = v.r.Asked(s) })
	return list
}

func (b *bank) want(t *testing.T, n int32) {
	t.Helper()
	if got := b.done.Load(); got != n {
		t.Errorf("it was done %d times, want %d", got, n)
	}
}

func TestOneConfirmationIsGoodForOneDeed(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	op := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	if op.Name != "transfer" || op.Text != "Send 100 to bob" || !op.AskedAt.Equal(r.clock.now()) ||
		!op.DoneAt.IsZero() {
		t.Errorf("it asks for %+v", op)
	}
	if again := operation(t, v.post(b, "/transfer", to("bob"), asJSON)); again.ID != op.ID || len(v.asked()) != 1 {
		t.Errorf("the same is asked about as another: %+v", v.asked())
	}
	before := v.cookies["__Host-Http-session"]
	if err := v.confirm(op.ID); err != nil {
		t.Fatal(err)
	}
	if v.cookies["__Host-Http-session"] == before || len(v.asked()) != 0 {
		t.Errorf("after the confirmation the ticket is the same, or it is asked: %v", v.asked())
	}
	v.with(func(s *session.Session) {
		if !s.FactorAt("otp").Equal(r.clock.now()) || len(s.All()) != 0 {
			t.Errorf("factors %v, data %v", s.Factors(), s.All())
		}
	})
	b.want(t, 0)
	if w := v.post(b, "/transfer", to("bob"), asJSON); w.Code != 200 || w.Body.String() != "100" {
		t.Errorf("status %d, body %s: the handler has not read the form", w.Code, w.Body)
	}
	b.want(t, 1)
	if asked := v.asked(); len(asked) != 0 {
		t.Errorf("what was done is asked about: %+v", asked)
	}
	replay := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	if b.want(t, 1); !replay.DoneAt.Equal(r.clock.now()) {
		t.Errorf("a second click is not told that it was done: %+v", replay)
	}
}

// A confirmation is of what was shown, to its last letter, under one name.
func TestAConfirmationIsOfOneOperationAlone(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	op := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	other := r.Once("order", transfer)(inside)
	if asked := operation(t, v.post(other, "/order", to("bob"), asJSON)); asked.ID == op.ID {
		t.Error("two kinds of operations are one")
	}
	if err := v.confirm(op.ID); err != nil {
		t.Fatal(err)
	}
	for _, form := range []url.Values{to("mallory"), {"to": {"bob"}, "sum": {"1000"}}, {}} {
		operation(t, v.post(b, "/transfer", form, asJSON))
	}
	operation(t, v.post(other, "/order", to("bob"), asJSON))
	b.want(t, 0)
	if w := v.post(b, "/transfer", to("bob")); w.Code != 200 {
		t.Errorf("what was confirmed gets %d", w.Code)
	}
	b.want(t, 1)
}

func TestABrowserIsSentToThePageThatConfirms(t *testing.T) {
	r := newRig(t, guard.Options{ConfirmPage: "/confirm?lang=en"})
	b, v := newBank(r), r.signIn("ada")
	w := v.post(b, "/transfer", to("bob"), asPage, "Referer: "+site+"/form")
	want := "/confirm?lang=en&return=%2Fform&operation=" + v.asked()[0].ID
	if w.Code != 303 || w.Header().Get("Location") != want {
		t.Errorf("status %d, Location %q, want %q", w.Code, w.Header().Get("Location"), want)
	}
	plain := newRig(t, guard.Options{})
	wantPage(t, plain.signIn("ada").post(newBank(plain), "/transfer", to("bob"), asPage), 401)
	if w := r.visitor().post(b, "/transfer", to("bob"), asJSON); w.Code != 401 || len(w.Result().Cookies()) != 0 {
		t.Errorf("a stranger: status %d, cookies %v", w.Code, w.Result().Cookies())
	}
}

// The answer to a site's own function has what its page needs.
func TestAnOwnRefusalIsGivenTheOperation(t *testing.T) {
	var got guard.Refusal
	r := newRig(t, guard.Options{Refuse: func(w http.ResponseWriter, _ *http.Request, no guard.Refusal) {
		got = no
		w.WriteHeader(no.Status)
	}})
	v := r.signIn("ada")
	w := v.post(newBank(r), "/transfer", to("bob"))
	if w.Code != 401 || got.Reason != guard.NotConfirmed || got.Operation == nil ||
		got.Operation.Text != "Send 100 to bob" || got.MaxAge != 5*time.Minute {
		t.Errorf("status %d, %+v", w.Code, got)
	}
}

func TestAConfirmationEndsWithTheLoginTheSessionAndFiveMinutes(t *testing.T) {
	for name, c := range map[string]struct {
		between func(r *rig, v *visitor)
		gone    bool
	}{
		"nothing":      {func(*rig, *visitor) {}, false},
		"five minutes": {func(r *rig, _ *visitor) { r.clock.advance(5 * time.Minute) }, false},
		"more": {func(r *rig, _ *visitor) {
			r.clock.advance(5*time.Minute + time.Microsecond)
		}, true},
		"a clock a bit back": {func(r *rig, _ *visitor) { r.clock.advance(-time.Minute) }, false},
		"a clock put back":   {func(r *rig, _ *visitor) { r.clock.advance(-2 * time.Minute) }, true},
		"a renewal":          {func(_ *rig, v *visitor) { v.with((*session.Session).Regenerate) }, false},
		"a login":            {func(_ *rig, v *visitor) { v.with(func(s *session.Session) { s.Login("ada") }) }, true},
		"a login of the same time": {func(r *rig, v *visitor) {
			v.with(func(s *session.Session) { s.Login("ada", session.LoginAt(s.LoginAt())) })
		}, true},
		"a logout": {func(_ *rig, v *visitor) {
			v.with(func(s *session.Session) { s.Logout(); s.Login("ada") })
		}, true},
		"another user": {func(_ *rig, v *visitor) { v.with(func(s *session.Session) { s.Login("bob") }) }, true},
		"a clear":      {func(_ *rig, v *visitor) { v.with((*session.Session).Clear) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, guard.Options{})
			b, v := newBank(r), r.signIn("ada")
			op := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
			if err := v.confirm(op.ID); err != nil {
				t.Fatal(err)
			}
			c.between(r, v)
			if w := v.post(b, "/transfer", to("bob"), asJSON); (w.Code == 401) != c.gone {
				t.Errorf("status %d, want it gone: %v", w.Code, c.gone)
			}
		})
	}
}

func TestNothingIsConfirmedThatWasNotAsked(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	if err := v.confirm("x"); err != guard.ErrNotAsked {
		t.Errorf("Confirm = %v, want ErrNotAsked", err)
	}
	op := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	if err := r.signIn("ada").confirm(op.ID); err != guard.ErrNotAsked {
		t.Errorf("in another session: %v, want ErrNotAsked", err)
	}
	r.clock.advance(5*time.Minute + time.Microsecond)
	if err := v.confirm(op.ID); err != guard.ErrNotAsked || len(v.asked()) != 0 {
		t.Errorf("after five minutes: %v, want ErrNotAsked", err)
	}
	v.with(func(s *session.Session) {
		if len(s.Factors()) != 0 {
			t.Errorf("what was refused left %v", s.Factors())
		}
	})
}

func TestAConfirmationByAWrongFactorIsNone(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	op := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	h := r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		if err := r.Confirm(s, op.ID, "Not A Factor"); err == nil {
			t.Error("Confirm = nil")
		}
	})
	if w := v.get(h, "/"); w.Code != 500 {
		t.Errorf("status %d", w.Code)
	}
	operation(t, v.post(b, "/transfer", to("bob"), asJSON))
}

func renewing(o *session.Options) { o.RenewEvery = time.Minute }

// Fifty clicks at once on two nodes, while the id is renewed.
func TestOneOfManyRequestsHasTheConfirmation(t *testing.T) {
	r := newRig(t, guard.Options{}, renewing)
	node := newRigOn(t, r.store, r.clock, guard.Options{}, renewing)
	b, v := newBank(r), r.signIn("ada")
	there := newBank(node)
	if err := v.confirm(operation(t, v.post(b, "/transfer", to("bob"), asJSON)).ID); err != nil {
		t.Fatal(err)
	}
	r.clock.advance(2 * time.Minute)
	var all sync.WaitGroup
	var answers [600]atomic.Int32
	for i := range 50 {
		all.Go(func() {
			h := http.Handler(b)
			if i%2 == 0 {
				h = there
			}
			answers[v.post(h, "/transfer", to("bob"), asJSON).Code].Add(1)
		})
	}
	all.Wait()
	if n := b.done.Load() + there.done.Load(); n != 1 || answers[200].Load() != 1 || answers[401].Load() != 49 {
		t.Errorf("it was done %d times: %d got 200, %d got 401", n, answers[200].Load(), answers[401].Load())
	}
}

// Both have seen the confirmation when they describe what they want.
func TestWhoComesSecondToAConfirmationIsAskedAnew(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	op := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	if err := v.confirm(op.ID); err != nil {
		t.Fatal(err)
	}
	var other sync.Once
	h := r.Once("transfer", func(req *http.Request) string {
		other.Do(func() { v.post(b, "/transfer", to("bob"), asJSON) })
		return transfer(req)
	})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it is done twice") }))
	if again := operation(t, v.post(h, "/transfer", to("bob"), asJSON)); again.ID != op.ID || again.DoneAt.IsZero() {
		t.Errorf("asked about %+v, want the operation that was done a moment ago", again)
	}
	b.want(t, 1)
}

// It is gone before the handler runs: whatever the handler has done by then is not done again. Who fails to describe
// the request has taken nothing.
func TestAHandlerThatPanicsHasHadItsConfirmation(t *testing.T) {
	fails := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") })
	for where, taken := range map[string]bool{"inside": true, "outside": true, "description": false} {
		r := newRig(t, guard.Options{})
		b, v := newBank(r), r.signIn("ada")
		h := map[string]http.Handler{
			"inside":  r.Once("transfer", transfer)(recovers(fails)),
			"outside": recovers(r.m.Middleware(r.Once("transfer", transfer)(fails))),
			"description": recovers(r.Once("transfer", func(*http.Request) string { panic("no") })(
				http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler runs") }))),
		}[where]
		if err := v.confirm(operation(t, v.post(b, "/", to("bob"), asJSON)).ID); err != nil {
			t.Fatal(err)
		}
		v.post(h, "/", to("bob"), asJSON)
		if w := v.post(b, "/", to("bob"), asJSON); (w.Code == 401) != taken {
			t.Errorf("recovered %s: status %d afterwards, want the confirmation gone: %v", where, w.Code, taken)
		}
	}
}

// A logout that overtakes the request wins, and one that comes later does not undo what was done.
func TestALogoutBeforeTheDeedEndsTheConfirmation(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	if err := v.confirm(operation(t, v.post(b, "/transfer", to("bob"), asJSON)).ID); err != nil {
		t.Fatal(err)
	}
	twin := r.visitor()
	twin.cookies["__Host-Http-session"] = v.cookies["__Host-Http-session"]
	late := r.m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, _ *session.Session) { // it is loaded
		twin.with((*session.Session).Logout)
		b.ServeHTTP(w, req)
	})
	if w := v.post(late, "/transfer", to("bob"), asJSON); w.Code != 409 || len(w.Result().Cookies()) != 0 {
		t.Errorf("status %d, cookies %v, want 409 and none", w.Code, w.Result().Cookies())
	}
	b.want(t, 0)
}

func TestOldOperationsMakeRoom(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	first := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	if err := v.confirm(first.ID); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		operation(t, v.post(b, "/transfer", to(fmt.Sprint("mallory ", i)), asJSON))
	}
	if asked := v.asked(); len(asked) != 7 || asked[0].Text != "Send 100 to mallory 19" {
		t.Errorf("%d are asked about: %+v", len(asked), asked)
	}
	if w := v.post(b, "/transfer", to("bob")); w.Code != 200 {
		t.Errorf("what was confirmed has made room: %d", w.Code)
	}
}

func TestALongRequestIsReadTwiceAndATooLongOneIsRefused(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	var read int
	describe := func(r *http.Request) string {
		body, _ := io.ReadAll(r.Body)
		return fmt.Sprintf("%d bytes, %s", len(body), r.URL.Query().Get("text"))
	}
	h := r.Once("upload", describe)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		read = len(body)
	}))
	send := func(size int, text string) *httptest.ResponseRecorder {
		req := request("POST", "/upload?text="+text, asJSON, "Content-Type: application/octet-stream")
		req.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", size)))
		return v.send(h, req)
	}
	for _, size := range []int{0, 30_000, 1 << 20} {
		op := operation(t, send(size, ""))
		if err := v.confirm(op.ID); err != nil {
			t.Fatal(err)
		}
		if w := send(size, ""); w.Code != 200 || read != size {
			t.Errorf("%d bytes: status %d, the handler read %d", size, w.Code, read)
		}
	}
	wantProblem(t, send(1<<20+1, ""), 413, guard.BadBody)
	wantProblem(t, send(1, strings.Repeat("y", 4096)), 413, guard.BadBody)
	if len(v.asked()) != 0 {
		t.Errorf("what is too long is asked about: %+v", v.asked())
	}
	limited := request("POST", "/upload", asJSON)
	limited.Body = http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("xx")), 1)
	wantProblem(t, v.send(h, limited), 413, guard.BadBody)
	cut := request("POST", "/upload", asJSON)
	cut.Body = io.NopCloser(io.MultiReader(strings.NewReader("x"), failing{}))
	wantProblem(t, v.send(h, cut), 400, guard.BadBody)
}

// The id is in addresses, and so in logs. Whoever reads them cannot try which text it is of, and it stays good when the
// secret is replaced meanwhile.
func TestTheIdOfAnOperationTellsNothingOfIt(t *testing.T) {
	before, after := session.NewSecret(), session.NewSecret()
	var ids []string
	for _, first := range []session.Secret{before, after} {
		r := newRig(t, guard.Options{}, func(o *session.Options) { o.Secrets = []session.Secret{first} })
		v := r.signIn("ada")
		h := r.Once("transfer", transfer)(inside)
		send := func() *httptest.ResponseRecorder { return v.post(h, "/", to("bob"), asJSON) }
		op := operation(t, send())
		ids = append(ids, op.ID)
		if err := v.confirm(op.ID); err != nil {
			t.Fatal(err)
		}
		setSecrets(t, r.m, session.NewSecret(), first)
		wantInside(t, send())
		if again := operation(t, send()); again.ID == op.ID {
			t.Error("the id of a new operation is that of an old secret")
		}
	}
	if ids[0] == ids[1] {
		t.Errorf("with other secrets the id is %s as well", ids[0])
	}
}

// Who answers in the site's own way relies on what a Refusal says that it has.
func TestEveryRefusalOfWhatIsNotConfirmedSaysWhatToConfirm(t *testing.T) {
	r := newRig(t, guard.Options{Refuse: func(w http.ResponseWriter, _ *http.Request, no guard.Refusal) {
		if no.Reason == guard.NotConfirmed {
			_, _ = io.WriteString(w, no.Operation.Text+" within "+no.MaxAge.String())
		}
	}})
	v := r.signIn("ada")
	for _, to := range []string{"", " ", "bob", strings.Repeat("b", 5000), strings.Repeat("b", 1<<20)} {
		h := r.Once("transfer", func(r *http.Request) string { return r.PostFormValue("to") })(inside)
		w, want := v.post(h, "/transfer", url.Values{"to": {to}}), ""
		if to == "bob" {
			want = "bob within 5m0s"
		}
		if got := w.Body.String(); got != want {
			t.Errorf("%d bytes: %q, want %q", len(to), got, want)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A text that would read otherwise than it is written is no text to sign.
func TestTheTextCannotChangeItsOrder(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	h := r.Once("transfer", func(*http.Request) string { return "to \u202eknab\u2066\x00\x1b[2J\xff é 🙂\nx" })(inside)
	if op := operation(t, v.get(h, "/", asJSON)); op.Text != "to \uFFFDknab\uFFFD\uFFFD\uFFFD[2J\uFFFD é 🙂\nx" {
		t.Errorf("the text is %q", op.Text)
	}
}

func TestOnceRefusesWhatItCannotKeep(t *testing.T) {
	r := newRig(t, guard.Options{})
	for _, h := range []http.Handler{r.Once("", transfer)(inside), r.Once("transfer", nil)(inside)} {
		if w := r.signIn("ada").get(h, "/"); w.Code != 500 {
			t.Errorf("status %d, want 500", w.Code)
		}
	}
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	carried := newRigOn(t, store, r.clock, guard.Options{})
	if w := carried.signIn("ada").get(carried.Once("transfer", transfer)(inside), "/"); w.Code != 500 {
		t.Errorf("with cookiestore alone: status %d, want 500", w.Code)
	}
}

// In a cookie the confirmation is in every copy, and one of them is good.
func TestOneOfManyCopiesHasTheConfirmation(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOn(t, store, &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	if err := v.confirm(operation(t, v.post(b, "/transfer", to("bob"), asJSON)).ID); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var copies []*visitor
	for range 20 {
		c := r.visitor()
		c.cookies = maps.Clone(v.cookies)
		copies = append(copies, c)
	}
	for i, c := range copies {
		all.Go(func() {
			if i%2 == 0 {
				c.with(func(s *session.Session) { _ = s.Get("x") })
			}
			w := c.post(b, "/transfer", to("bob"), asJSON)
			if w.Code != 200 && w.Code != 401 && w.Code != 409 {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	all.Wait()
	b.want(t, 1)
	for _, c := range copies {
		c.post(b, "/transfer", to("bob"), asJSON)
	}
	b.want(t, 1)
	if w := v.post(b, "/transfer", to("bob"), asJSON); w.Code != 401 {
		t.Errorf("the cookie from before gets %d, want 401", w.Code)
	}
}

// What asks for more stands before the confirmation is taken.
func TestTheProofIsAskedBeforeTheConfirmationIsTaken(t *testing.T) {
	barred := true
	r := newRig(t, guard.Options{Proof: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if barred {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	b, v := newBank(r), r.signIn("ada")
	barred = false
	if err := v.confirm(operation(t, v.post(b, "/", to("bob"), asJSON)).ID); err != nil {
		t.Fatal(err)
	}
	barred = true
	if w := v.post(b, "/", to("bob")); w.Code != http.StatusTeapot {
		t.Errorf("status %d, want that of the proof", w.Code)
	}
	barred = false
	if w := v.post(b, "/", to("bob")); w.Code != 200 {
		t.Errorf("status %d: the confirmation is gone", w.Code)
	}
	b.want(t, 1)
}
