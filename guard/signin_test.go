package guard_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// door is a site with a sign-in form, whose accounts have the password "right".
type door struct {
	*rig
	form  http.Handler
	tries atomic.Int64 // of passwords, by the handler
}

const right = "right"

var accounts = map[string]bool{"ann": true, "bob": true}

func newDoor(t *testing.T, opts guard.Options, change ...func(*session.Options)) *door {
	t.Helper()
	quiet := func(o *session.Options) { o.Logger = slog.New(slog.DiscardHandler) }
	return doorOf(newRig(t, opts, append(change, quiet)...))
}

func doorOf(r *rig) *door {
	d := &door{rig: r}
	d.form = r.SignIn(byUser)(r.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		d.tries.Add(1)
		if user := r.PostFormValue("user"); !accounts[user] || r.PostFormValue("password") != right {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		s.Login(r.PostFormValue("user"))
	}))
	return d
}

// at is a visitor who comes from an address.
type at struct {
	*visitor
	address string
}

func (d *door) from(n int) at {
	return at{d.visitor(), netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String()}
}

func (a at) try(d *door, user, password string) *httptest.ResponseRecorder {
	a.r.t.Helper()
	body := url.Values{"user": {user}, "password": {password}}.Encode()
	r := httptest.NewRequest("POST", site+"/login", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(a.address), 4711).String()
	return a.send(d.form, r)
}

// wrong has strangers, each from an address of its own, try n times in vain, and says how many tries passed.
func (d *door) wrong(user string, first, n int) (passed int) {
	for i := range n {
		if d.from(first+i).try(d, user, "wrong").Code == http.StatusUnprocessableEntity {
			passed++
		}
	}
	return passed
}

func TestGuessesAtOneAccountWaitLongerAndLonger(t *testing.T) {
	d := newDoor(t, guard.Options{})
	if got := d.wrong("ann", 0, 100); got != 10 {
		t.Fatalf("%d of 100 guesses at once passed, want 10", got)
	}
	for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		w := d.from(1000+i).try(d, "ann", right)
		wantProblem(t, w, 429, guard.TooMany)
		if got := w.Header().Get("Retry-After"); got != fmt.Sprint(want.Seconds()) {
			t.Errorf("after %d failures: Retry-After %s, want %v", 10+i, got, want)
		}
		d.clock.advance(want - time.Microsecond)
		if got := d.wrong("ann", 2000+i, 1); got != 0 {
			t.Errorf("a guess passes before %v are over", want)
		}
		d.clock.advance(time.Microsecond)
		if got := d.wrong("ann", 3000, 100); got != 1 {
			t.Errorf("%d guesses passed after %v, want 1", got, want)
		}
	}
	if got := d.wrong("bob", 5000, 100); got != 10 {
		t.Errorf("%d guesses at another account passed, want 10", got)
	}
}

// NIST SP 800-63B-4 (3.2.2) allows no more than 100 failed attempts in a row at one account.
func TestNobodyHasAHundredGuessesInAMonth(t *testing.T) {
	d := newDoor(t, guard.Options{})
	passed, start := 0, d.clock.now()
	for n := 0; d.clock.now().Sub(start) < 30*24*time.Hour; n++ {
		w := d.from(n).try(d, "ann", "wrong")
		if w.Code == http.StatusUnprocessableEntity {
			passed++
			continue
		}
		wait, err := time.ParseDuration(w.Header().Get("Retry-After") + "s")
		if err != nil || wait <= 0 || wait > 24*time.Hour {
			t.Fatalf("Retry-After %v, %v", wait, err)
		}
		d.clock.advance(wait)
	}
	if passed < 30 || passed > 60 {
		t.Errorf("whoever waits as little as possible has %d guesses in 30 days, want about 50", passed)
	}
}

func TestParallelGuessesAreCountedExactlyOnTwoNodes(t *testing.T) {
	for name, shared := range map[string]bool{"one node": false, "two nodes": true} {
		store := newGate()
		opts := guard.Options{}
		if shared {
			opts.SignIn.Store = plain{store}
		}
		r := newRigOn(t, store, &clock{t: time.Unix(1e9, 0)}, opts)
		doors := []*door{doorOf(r), doorOf(r)}
		if shared {
			doors[1] = doorOf(newRigOn(t, store, r.clock, opts))
		}
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { doors[i%2].from(i).try(doors[i%2], "ann", "wrong") })
		}
		wg.Wait()
		if got := doors[0].tries.Load() + doors[1].tries.Load(); got != 10 {
			t.Errorf("%s: %d of 100 parallel guesses reached the handler, want 10", name, got)
		}
	}
}

func TestStrangersLockNobodyOutOfADeviceThatIsKnown(t *testing.T) {
	d := newDoor(t, guard.Options{})
	owner := d.from(1)
	if w := owner.try(d, "ann", right); w.Code != 200 {
		t.Fatalf("status %d", w.Code)
	}
	owner.with(func(s *session.Session) { s.Logout() })
	for range 3 { // from everywhere, and from the owner's own address
		d.clock.advance(time.Hour)
		d.wrong("ann", 100, 50)
		for range 50 {
			d.from(1).try(d, "ann", "wrong")
		}
	}
	if w := d.from(200).try(d, "ann", right); w.Code != 429 {
		t.Errorf("a stranger who has the right password: status %d, want 429", w.Code)
	}
	for range 9 {
		if w := owner.try(d, "ann", "typo"); w.Code != http.StatusUnprocessableEntity {
			t.Fatalf("the owner mistypes: status %d, want 422", w.Code)
		}
	}
	if w := owner.try(d, "ann", right); w.Code != 200 {
		t.Errorf("the owner, on a device that is known: status %d, want 200", w.Code)
	}
	for i := range 10 { // the sign-in has reset the count of the device
		if w := owner.try(d, "ann", "typo"); w.Code != http.StatusUnprocessableEntity {
			t.Fatalf("try %d after the sign-in: status %d, want 422", i, w.Code)
		}
	}
	w := owner.try(d, "ann", right)
	if w.Code != 429 || w.Header().Get("Retry-After") != "60" {
		t.Errorf("who has the device guesses on: status %d, Retry-After %s, want 429 and 60", w.Code,
			w.Header().Get("Retry-After"))
	}
}

// A sign-in gives back its own attempt and no other, or strangers had ten guesses after each of them.
func TestASignInOnANewDeviceGivesStrangersNoGuesses(t *testing.T) {
	d := newDoor(t, guard.Options{})
	if got := d.wrong("ann", 0, 9); got != 9 {
		t.Fatalf("%d guesses passed", got)
	}
	for i := range 30 {
		if w := d.from(100+i).try(d, "ann", right); w.Code != 200 {
			t.Fatalf("sign-in %d on a new device: status %d, want 200", i, w.Code)
		}
	}
	if got := d.wrong("ann", 200, 10); got != 1 {
		t.Errorf("%d guesses passed, want the tenth alone", got)
	}
	d.clock.advance(time.Minute)
	if w := d.from(300).try(d, "ann", right); w.Code != 200 {
		t.Errorf("after the wait: status %d, want 200", w.Code)
	}
	if got := d.wrong("ann", 400, 10); got != 1 {
		t.Errorf("%d guesses passed after a sign-in that had waited, want 1", got)
	}
}

// Whoever tries one password at each of many accounts is stopped by the address.
func TestOneAddressHasTwentyFailuresAtOnce(t *testing.T) {
	d := newDoor(t, guard.Options{})
	sprayer, passed := d.from(1), 0
	for i := range 200 {
		if sprayer.try(d, fmt.Sprint("user", i), "wrong").Code == http.StatusUnprocessableEntity {
			passed++
		}
	}
	if passed != 20 {
		t.Errorf("%d failures of one address passed, want 20", passed)
	}
	wantProblem(t, sprayer.try(d, "ann", right), 429, guard.TooMany)
	d.clock.advance(36 * time.Second)
	for i := range 30 { // sign-ins of many people behind one address use up nothing
		if w := (at{d.visitor(), sprayer.address}).try(d, "ann", right); w.Code != 200 {
			t.Fatalf("sign-in %d: status %d, want 200", i, w.Code)
		}
	}
}

// strip is an answer without what differs by chance.
func strip(w *httptest.ResponseRecorder) string {
	h := w.Header().Clone()
	h.Del("Date")
	return fmt.Sprint(w.Code, h, w.Body)
}

func TestAnAnswerDoesNotTellWhetherAnAccountExists(t *testing.T) {
	store := &calls{Store: memstore.New(memstore.Options{})}
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Store: store}})
	for i := range 30 {
		before := store.n.Load()
		known := strip(d.from(2*i).try(d, "ann", "wrong"))
		middle := store.n.Load()
		unknown := strip(d.from(2*i+1).try(d, "nobody", "wrong"))
		after := store.n.Load()
		if known != unknown || middle-before != after-middle {
			t.Fatalf("try %d: a known account gets %s by %d calls, an unknown one %s by %d", i, known, middle-before,
				unknown, after-middle)
		}
		if i == 3 && strings.Contains(known, "account") {
			t.Errorf("an attempt that passes tells how many others there were: %s", known)
		}
	}
}

// calls counts the calls of a store.
type calls struct {
	*memstore.Store
	n atomic.Int64
}

func (c *calls) Load(ctx context.Context, id string) (*session.Record, error) {
	c.n.Add(1)
	return c.Store.Load(ctx, id)
}

func (c *calls) Save(ctx context.Context, rec *session.Record) error {
	c.n.Add(1)
	return c.Store.Save(ctx, rec)
}

func TestTheFormItselfPassesUncounted(t *testing.T) {
	d := newDoor(t, guard.Options{})
	form := d.SignIn(func(r *http.Request) string { return r.FormValue("user") })(inside)
	for range 50 {
		wantInside(t, from(form, "192.0.2.1"))
	}
	passed := 0
	for range 50 { // a handler may read what stands in the address
		r := request("GET", "/login?user=ann")
		r.RemoteAddr = "192.0.2.1:4711"
		w := httptest.NewRecorder()
		if form.ServeHTTP(w, r); w.Code == 200 {
			passed++
		}
	}
	if passed != 10 {
		t.Errorf("%d of 50 requests that name an account passed, want 10", passed)
	}
	nameless := 0
	for range 50 {
		if d.from(7).try(d, "", "wrong").Code != 429 {
			nameless++
		}
	}
	if nameless != 20 {
		t.Errorf("%d of 50 that name no account passed, want 20, as the address allows", nameless)
	}
}

func TestAPanicOfTheHandlerIsAFailure(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 1}})
	form := d.SignIn(byUser)(d.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ann")
		panic(http.ErrAbortHandler)
	}))
	func() {
		defer func() { _ = recover() }()
		d.visitor().post(form, "/login", url.Values{"user": {"ann"}})
	}()
	if w := d.from(1).try(d, "ann", right); w.Code != 429 {
		t.Errorf("status %d, want 429", w.Code)
	}
}

func TestASignInAgainIsASignIn(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 2}})
	owner := d.from(1)
	for i := range 10 { // the clock stands, and the user stays
		if w := owner.try(d, "ann", right); w.Code != 200 {
			t.Fatalf("sign-in %d: status %d, want 200", i, w.Code)
		}
	}
	for i, want := range []int{422, 422, 429} {
		if w := owner.try(d, "ann", "wrong"); w.Code != want {
			t.Errorf("failure %d of who is signed in: status %d, want %d", i, w.Code, want)
		}
	}
}

func TestAStoreThatIsDownStopsGuesses(t *testing.T) {
	for name, store := range map[string]session.Store{"reads": broken{memstore.New(memstore.Options{})},
		"writes": unsaving{memstore.New(memstore.Options{})}} {
		d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Store: store}})
		if w := d.from(1).try(d, "ann", right); w.Code != 503 || d.tries.Load() != 0 || len(w.Result().Cookies()) != 0 {
			t.Errorf("a store without %s: status %d after %d tries, want 503 and none", name, w.Code, d.tries.Load())
		}
	}
}

func TestAClockThatStepsLocksNobodyOutForLong(t *testing.T) {
	d := newDoor(t, guard.Options{})
	d.clock.advance(10 * 365 * 24 * time.Hour)
	d.wrong("ann", 0, 11)
	d.clock.advance(-10 * 365 * 24 * time.Hour)
	w := d.from(100).try(d, "ann", right)
	if w.Code != 429 || w.Header().Get("Retry-After") != "86400" {
		t.Errorf("status %d, Retry-After %s, want no more than a day to wait", w.Code, w.Header().Get("Retry-After"))
	}
	d.clock.advance(24 * time.Hour)
	if w := d.from(101).try(d, "ann", right); w.Code != 200 {
		t.Errorf("a day later: status %d, want 200", w.Code)
	}
}

func TestTheNumbersOfASignInAreOptions(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{
		Attempts: 2, Wait: time.Second, Forgive: 3 * time.Second, AddressAttempts: 15,
	}})
	if got := d.wrong("ann", 0, 9); got != 2 {
		t.Errorf("%d guesses passed, want 2", got)
	}
	for i, want := range []time.Duration{1, 2, 2, 3, 3} { // one is forgiven on the way
		if got := d.from(100+i).try(d, "ann", "wrong").Header().Get("Retry-After"); got != fmt.Sprint(int(want)) {
			t.Errorf("after failure %d: Retry-After %s, want %d", 2+i, got, want)
		}
		d.clock.advance(want * time.Second)
		d.wrong("ann", 200+i, 1)
	}
	for i, want := range []int{422, 422, 422, 429} {
		if w := d.from(1000).try(d, fmt.Sprint("user", i), "wrong"); w.Code != want {
			t.Errorf("failure %d of one address: status %d, want %d", i, w.Code, want)
		}
	}
	for name, opts := range map[string]guard.Options{
		"negative": {SignIn: guard.SignInLimits{Attempts: -1}}, "Wait": {SignIn: guard.SignInLimits{Wait: 1}},
		"longer than Forgive":                      {SignIn: guard.SignInLimits{Wait: 48 * time.Hour}},
		"SignIn.Forgive: it must not be negative":  {SignIn: guard.SignInLimits{Forgive: -1}},
		"AddressAttempts: it must not be negative": {SignIn: guard.SignInLimits{AddressAttempts: -1}},
		"IPv6Prefix": {IPv6Prefix: 129}, "IPv4Prefix": {IPv4Prefix: -1},
		"IPv6Prefix: it is at most 128, and not negative": {IPv6Prefix: -1},
		"IPv4Prefix: it is at most 32, and not negative":  {IPv4Prefix: 33},
		"KnownFor":             {SignIn: guard.SignInLimits{KnownFor: 1}},
		"Options.SignIn.Store": {SignIn: guard.SignInLimits{Store: memstore.New(memstore.Options{MaxSessions: 1})}},
	} {
		if _, err := guard.New(d.m, opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New with a wrong option = %v, want an error with %q", err, name)
		}
	}
	h := d.SignIn(nil)(inside)
	if w := from(h, "192.0.2.1"); w.Code != 500 {
		t.Errorf("without a function: status %d, want 500", w.Code)
	}
}

// Numbers at the end of their range neither overflow nor let guesses through for ever.
func TestSignInLimitsBeyondAllRangeHold(t *testing.T) {
	const longest = time.Duration(1<<63 - 1)
	for _, tt := range []struct {
		l    guard.SignInLimits
		pass int // of 50
	}{
		{guard.SignInLimits{Attempts: math.MaxInt}, 50},
		{guard.SignInLimits{Attempts: 1, Wait: longest, Forgive: longest}, 1},
		{guard.SignInLimits{Attempts: 1, Wait: time.Millisecond, Forgive: longest}, 1},
		{guard.SignInLimits{Attempts: 1, Wait: time.Millisecond, Forgive: time.Millisecond}, 1},
		{guard.SignInLimits{Attempts: 3, AddressAttempts: math.MaxInt}, 3},
	} {
		d := newDoor(t, guard.Options{SignIn: tt.l})
		passed := 0
		for i := range 50 {
			w := d.from(i).try(d, "ann", "wrong")
			wantInRange(t, w.Header())
			if w.Code == http.StatusUnprocessableEntity {
				passed++
			}
		}
		if passed != tt.pass {
			t.Errorf("with %+v: %d of 50 guesses passed, want %d", tt.l, passed, tt.pass)
		}
	}
}

// From one address a fifth of the attempts may fail at once, however many they are.
func TestAFifthOfTheMostAttemptsFromAnAddressAreLeft(t *testing.T) {
	for attempts, want := range map[int]int{1: 0, 5: 0, 6: 1, math.MaxInt32: math.MaxInt32 / 5} {
		d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{AddressAttempts: attempts}})
		left := fmt.Sprintf(";r=%d;", want)
		h := d.from(1).try(d, "ann", "wrong").Header()
		if !strings.Contains(strings.Join(h["Ratelimit"], ","), left) {
			t.Errorf("%d attempts: %s, want %s", attempts, h["Ratelimit"], left)
		}
	}
}

// Who guesses the password of one account may sign in to another, in the same session, while the handler looks.
func TestASignInOfAnotherRequestIsNotThatOfTheGuess(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{AddressAttempts: 1e6}})
	var beside func()
	tried := 0
	form := d.SignIn(byUser)(d.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		tried++
		beside()
		s.Flash("status", "That name and password do not match.")
		_ = s.Save(r.Context()) // meets what the other request has stored
		w.WriteHeader(http.StatusUnprocessableEntity)
	}))
	for range 30 {
		thief := d.from(1)
		thief.with(func(s *session.Session) { s.Set("cart", 1) })
		beside = func() { (at{thief.clone(), thief.address}).try(d, "bob", right) }
		w := thief.post(form, "/login", url.Values{"user": {"ann"}})
		for _, c := range w.Result().Cookies() {
			if c.Name == deviceCookie {
				t.Error("a guess makes the device known")
			}
		}
	}
	if tried != 10 {
		t.Errorf("%d of 30 guesses were tried beside sign-ins to another account, want 10", tried)
	}
}

// The handler may store the session itself, and a step-up has no Login.
func TestAConfirmationIsASuccessAndSoIsASignInThatIsStoredAtOnce(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 1}})
	for name, do := range map[string]func(*session.Session){
		"stored at once": func(s *session.Session) { s.Login("ann") },
		"confirmed":      func(s *session.Session) { s.Confirm("pwd") },
	} {
		v := d.signIn("ann")
		form := d.SignIn(byUser)(d.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			do(s)
			if err := s.Save(r.Context()); err != nil {
				t.Error(err)
			}
		}))
		for i := range 3 {
			if w := v.post(form, "/confirm", url.Values{"user": {name}}); w.Code != 200 {
				t.Errorf("%s: success %d gets %d", name, i, w.Code)
			}
		}
		if v.cookies[deviceCookie] == "" {
			t.Errorf("%s: the device is not known", name)
		}
	}
	v := d.signIn("ann")
	out := d.SignIn(byUser)(d.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ann")
		s.Logout() // the account is closed
	}))
	for i, want := range []int{200, 429} {
		if w := v.post(out, "/login", url.Values{"user": {"closed"}}); w.Code != want {
			t.Errorf("attempt %d at a closed account: status %d, want %d", i, w.Code, want)
		}
	}
}

// clone is another tab of the same browser.
func (v *visitor) clone() *visitor {
	tab := v.r.visitor()
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.Copy(tab.cookies, v.cookies)
	return tab
}
