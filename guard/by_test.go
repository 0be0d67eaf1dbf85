package guard_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
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

// from sends a request of a stranger at an address.
func from(h http.Handler, address string, header ...string) *httptest.ResponseRecorder {
	r := request("GET", "/", header...)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(address), 4711).String()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestStrangersAreLimitedByAddress(t *testing.T) {
	stores := map[string]session.Store{"in memory": nil, "in a store": memstore.New(memstore.Options{})}
	for name, store := range stores {
		r := newRig(t, guard.Options{})
		h := r.Rate(guard.Limit{By: guard.Address, Requests: 2, Per: time.Minute, Store: store})(inside)
		w := from(h, "192.0.2.1")
		wantInside(t, w)
		if got := w.Header().Get("RateLimit"); got != `"default";r=1;t=30` || len(w.Result().Cookies()) != 0 {
			t.Errorf("%s: RateLimit %q, cookies %v", name, got, w.Result().Cookies())
		}
		wantInside(t, from(h, "192.0.2.1"))
		w = from(h, "192.0.2.1", asJSON)
		wantProblem(t, w, 429, guard.TooMany)
		if got := w.Header().Get("Retry-After"); got != "30" {
			t.Errorf("%s: Retry-After %q, want 30", name, got)
		}
		wantInside(t, from(h, "192.0.2.2"))
		r.clock.advance(30 * time.Second)
		wantInside(t, from(h, "192.0.2.1"))
	}
}

func TestANetworkOfIPv6IsOneAddress(t *testing.T) {
	for _, tt := range []struct {
		opts  guard.Options
		a, b  string
		alike bool
	}{
		{guard.Options{}, "2001:db8::1", "2001:db8::ffff:1", true},
		{guard.Options{}, "2001:db8::1", "2001:db8:0:1::1", false},
		{guard.Options{IPv6Prefix: 48}, "2001:db8::1", "2001:db8:0:1::1", true},
		{guard.Options{IPv6Prefix: 128}, "2001:db8::1", "2001:db8::2", false},
		{guard.Options{}, "192.0.2.1", "192.0.2.2", false},
		{guard.Options{IPv4Prefix: 24}, "192.0.2.1", "192.0.2.2", true},
		{guard.Options{}, "192.0.2.1", "::ffff:192.0.2.1", true},
		{guard.Options{}, "fe80::1%eth0", "fe80::1%eth1", true},
	} {
		h := newRig(t, tt.opts).Rate(guard.Limit{By: guard.Address, Requests: 1, Per: time.Minute})(inside)
		wantInside(t, from(h, tt.a))
		if got := from(h, tt.b).Code == 429; got != tt.alike {
			t.Errorf("%+v: %s and %s are one address: %t, want %t", tt.opts, tt.a, tt.b, got, tt.alike)
		}
	}
}

// A header that anybody can write makes nobody another visitor, unless a proxy is trusted with it.
func TestAForwardedAddressCountsOnlyFromATrustedProxy(t *testing.T) {
	l := guard.Limit{By: guard.Address, Requests: 1, Per: time.Minute}
	h := newRig(t, guard.Options{}).Rate(l)(inside)
	wantInside(t, from(h, "192.0.2.1", "X-Forwarded-For: 198.51.100.1"))
	if w := from(h, "192.0.2.1", "X-Forwarded-For: 198.51.100.2", "Forwarded: for=198.51.100.3"); w.Code != 429 {
		t.Errorf("another forwarded address: status %d, want 429", w.Code)
	}
	h = newRig(t, guard.Options{}, func(o *session.Options) {
		o.ClientIP = session.ClientIPFrom(netip.MustParsePrefix("10.0.0.0/8"))
	}).Rate(l)(inside)
	wantInside(t, from(h, "10.0.0.1", "X-Forwarded-For: 198.51.100.1"))
	wantInside(t, from(h, "10.0.0.1", "X-Forwarded-For: 198.51.100.2"))
	if w := from(h, "10.0.0.1", "X-Forwarded-For: 203.0.113.9, 198.51.100.2"); w.Code != 429 {
		t.Errorf("an address before the one that the proxy saw: status %d, want 429", w.Code)
	}
}

func TestRequestsWithoutAnAddressAreCountedTogether(t *testing.T) {
	h := newRig(t, guard.Options{}).Rate(guard.Limit{By: guard.Address, Requests: 1, Per: time.Minute})(inside)
	for i, want := range []int{200, 429} {
		r := request("GET", "/")
		r.RemoteAddr = "@"
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("request %d by a Unix socket: status %d, want %d", i, w.Code, want)
		}
	}
}

func TestALimitByAddressNeedsNoSession(t *testing.T) {
	r := newRigOn(t, broken{memstore.New(memstore.Options{})}, &clock{t: time.Unix(1e9, 0)}, guard.Options{})
	h := r.Rate(guard.Limit{By: guard.Address, Requests: 1, Per: time.Minute})(inside)
	w := from(h, "192.0.2.1", "Cookie: __Host-Http-session=v1.forged")
	wantInside(t, w)
	if w.Header().Get("Vary") != "" {
		t.Errorf("Vary: %s", w.Header().Get("Vary"))
	}
}

func byUser(r *http.Request) string { return r.PostFormValue("user") }

func TestRequestsAreLimitedByAccount(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{By: guard.Account(byUser), Requests: 1, Per: time.Hour})(inside)
	post := func(user string) int {
		return r.visitor().post(h, "/", url.Values{"user": {user}}).Code
	}
	long := strings.Repeat("a", 100_000)
	for _, user := range []string{"ann", "Ann", "ann ", "ann\x00", "ánn", "a\u0301nn", "\xff", long, long + "b"} {
		if first, second := post(user), post(user); first != 200 || second != 429 {
			t.Errorf("%.20q: %d, then %d, want one request let through", user, first, second)
		}
	}
	if first, second := post(""), post(""); first != 200 || second != 200 {
		t.Errorf("without an account: %d, then %d, want both let through", first, second)
	}
}

// What names the account is read before the handler, which then reads all of it.
func TestTheBodyIsThereAfterTheAccountWasRead(t *testing.T) {
	rest := strings.Repeat("x", 30_000)
	form := url.Values{"rest": {rest}, "user": {"ann"}}.Encode()
	var parts bytes.Buffer
	m := multipart.NewWriter(&parts)
	file, _ := m.CreateFormFile("file", "a.txt")
	_, _ = io.WriteString(file, rest)
	_ = m.WriteField("user", "ann")
	_ = m.Close()
	object := `{"rest":"` + rest + `","user":"ann"}`
	for kind, body := range map[string]string{"application/x-www-form-urlencoded": form,
		m.FormDataContentType(): parts.String(), "application/json": object} {
		named := ""
		account := guard.Account(func(r *http.Request) string {
			if kind == "application/json" {
				var v struct{ User string }
				_ = json.NewDecoder(r.Body).Decode(&v)
				named = v.User
				return named
			}
			_ = r.ParseMultipartForm(1) // on the disk
			named = r.FormValue("user")
			return named
		})
		echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Form != nil || r.MultipartForm != nil {
				t.Errorf("%s: the handler gets a form that it has not parsed", kind)
			}
			_, _ = io.Copy(w, r.Body)
			_ = r.Body.Close()
		})
		h := newRig(t, guard.Options{}).Rate(guard.Limit{By: account, Requests: 1, Per: time.Hour})(echo)
		r := httptest.NewRequest("POST", site, io.NopCloser(strings.NewReader(body)))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if named != "ann" || w.Body.String() != body {
			t.Errorf("%s: the account is %q, and the handler reads %d of %d bytes", kind, named, w.Body.Len(),
				len(body))
		}
	}
}

func TestABodyThatHidesTheAccountIsRefused(t *testing.T) {
	h := newRig(t, guard.Options{}).Rate(guard.Limit{By: guard.Account(byUser), Requests: 9, Per: time.Hour})(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler runs") }))
	for want, body := range map[int]io.Reader{
		413: strings.NewReader("pad=" + strings.Repeat("x", 1<<20) + "&user=ann"),
		400: io.MultiReader(strings.NewReader("user=ann"), broke{}),
	} {
		r := httptest.NewRequest("POST", site, body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		wantProblem(t, w, want, guard.BadBody)
	}
}

// broke is a body that breaks off.
type broke struct{}

func (broke) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTheLimitOfStrangersIsExactOnTwoNodes(t *testing.T) {
	account := guard.Account(func(*http.Request) string { return "ann" })
	for name, by := range map[string]guard.By{"address": guard.Address, "account": account} {
		r, gate := newGatedRig(t)
		l := guard.Limit{By: by, Requests: 7, Per: time.Hour, Store: plain{r.store}}
		gate.arm(2, false) // the first of each node
		if got := strangers(100, "192.0.2.1", r.Rate(l)(inside), r.node().Rate(l)(inside)); got != 7 {
			t.Errorf("by %s: %d of 100 parallel requests passed, want 7", name, got)
		}
		l.Store = nil
		h := r.Rate(l)(inside)
		if got := strangers(100, "192.0.2.1", h, r.Rate(l)(inside)); got != 7 {
			t.Errorf("by %s, in memory: %d of 100 parallel requests passed, want 7", name, got)
		}
	}
}

// strangers sends requests at once, to each of the handlers in turn, and says how many passed.
func strangers(n int, address string, handlers ...http.Handler) int64 {
	var passed atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if from(handlers[i%len(handlers)], address, asJSON).Code == 200 {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	return passed.Load()
}

func TestTheCountsOfStrangersAreNoSessionsAndNameNobody(t *testing.T) {
	r := newRig(t, guard.Options{})
	l := guard.Limit{By: guard.Account(byUser), Requests: 2, Per: time.Hour, Store: r.store}
	r.visitor().post(r.Rate(l)(inside), "/", url.Values{"user": {"ann@example.com"}})
	for info := range r.m.All(t.Context()) {
		t.Errorf("All lists %+v", info)
	}
	recs, err := r.store.(*memstore.Store).Page(t.Context(), "", 10)
	if len(recs) != 1 || err != nil {
		t.Fatalf("%d records, %v, want 1", len(recs), err)
	}
	rec, err := r.store.Load(t.Context(), recs[0].ID)
	if err != nil || rec.User != "" || bytes.Contains(rec.Data, []byte("ann")) || len(rec.Data) > 40 {
		t.Errorf("the record has the user %q and the data %q, %v", rec.User, rec.Data, err)
	}
	r.clock.advance(31 * time.Minute)
	if n, err := r.m.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want the count gone when the quota is whole again", n, err)
	}
}

func TestAStoreOfStrangersThatIsDownIsAnOutage(t *testing.T) {
	r := newRig(t, guard.Options{})
	for _, store := range []session.Store{broken{memstore.New(memstore.Options{})},
		unsaving{memstore.New(memstore.Options{})}} {
		h := r.Rate(guard.Limit{By: guard.Address, Requests: 2, Per: time.Hour, Store: store})(inside)
		if w := from(h, "192.0.2.1"); w.Code != 503 {
			t.Errorf("%T: status %d, want 503", store, w.Code)
		}
	}
	lossy := &losing{Store: memstore.New(memstore.Options{})}
	h := r.Rate(guard.Limit{Name: "lossy", By: guard.Address, Requests: 1, Per: time.Hour, Store: lossy})(inside)
	lossy.lose = true
	if w := from(h, "192.0.2.1"); w.Code != 503 {
		t.Errorf("status %d, want 503", w.Code)
	}
	lossy.lose = false
	if w := from(h, "192.0.2.1"); w.Code != 429 {
		t.Errorf("after a lost answer: status %d, want that it counts", w.Code)
	}
}

func TestALimitOfStrangersSaysWhatIsWrongWithIt(t *testing.T) {
	store := memstore.New(memstore.Options{})
	bounded := memstore.New(memstore.Options{MaxSessions: 10})
	for want, l := range map[string]guard.Limit{
		"guard: Limit.Store: it is for":                                     {Store: store},
		"guard: Limit.Users: it is for":                                     {By: guard.Address, Users: store},
		"guard: Limit.Per: 60ns is below one millisecond; did you mean 60*": {Per: 60},
		"guard: Limit.Store: *memstore":                                     {By: guard.Address, Store: bounded},
	} {
		l.Requests, l.Per = 1, cmp.Or(l.Per, time.Hour)
		r := newRig(t, guard.Options{})
		if err := l.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Check = %v, want %s…", err, want)
		}
		if w := from(r.Rate(l)(inside), "192.0.2.1"); w.Code != 500 {
			t.Errorf("%s: status %d, want 500", want, w.Code)
		}
	}
	ok := guard.Limit{By: guard.Address, Requests: 1, Per: time.Hour, Store: store}
	if err := ok.Check(); err != nil {
		t.Error(err)
	}
	none := newRig(t, guard.Options{}).Rate(guard.Limit{By: guard.Address})(inside)
	if w := from(none, "192.0.2.1"); w.Code != 429 {
		t.Errorf("a limit of nothing: status %d, want 429", w.Code)
	}
}

// A flood of addresses fills neither the memory nor the store. Whoever is new still passes, and who has used up a
// quota gets no other by the flood.
func TestAFloodOfStrangersIsBoundedAndUnlocksNobody(t *testing.T) {
	r := newRig(t, guard.Options{})
	store := memstore.New(memstore.Options{})
	for name, l := range map[string]guard.Limit{"in memory": {}, "in a store": {Store: store}} {
		l.Name, l.By, l.Requests, l.Per = name, guard.Address, 5, time.Hour
		h := r.Rate(l)(inside)
		passed := 0
		n := 100_000
		if l.Store != nil {
			n = 30_000
		}
		for i := range n {
			if i%100 == 0 && from(h, "192.0.2.1").Code == 200 {
				passed++
			}
			if w := from(h, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)); w.Code != 200 {
				t.Fatalf("%s: stranger %d is locked out by the others: status %d", name, i, w.Code)
			}
		}
		if passed > 6 {
			t.Errorf("%s: %d of 1000 requests passed during the flood, want 5, or 6", name, passed)
		}
	}
	recs, bytes := 0, 0
	for after := ""; ; {
		page, err := store.Page(context.Background(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page {
			full, err := store.Load(t.Context(), rec.ID)
			if err != nil {
				t.Fatal(err)
			}
			recs, bytes, after = recs+1, bytes+len(full.Data), rec.ID
		}
		if len(page) < 1000 {
			break
		}
	}
	if recs > 1024 || bytes > 1024*2048 {
		t.Errorf("the flood left %d records with %d bytes, want at most 1024 of 2 kB", recs, bytes)
	}
}

// Whoever has lost a place to a flood, and comes back, has as much of the quota left as before, and whoever is new can
// make a request, but no more than that.
func TestAFloodTakesAwayNoCharge(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{By: guard.Address, Requests: 2, Per: time.Hour})(inside)
	const visitors = 50
	visit := func(network string) (passed int) {
		for i := range visitors {
			if from(h, fmt.Sprintf("%s.%d", network, i)).Code == 200 {
				passed++
			}
		}
		return passed
	}
	if got := visit("192.0.2"); got != visitors {
		t.Fatalf("%d passed", got)
	}
	r.clock.advance(time.Second)
	for i := range 200_000 {
		from(h, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	for try, want := range []int{visitors, 0, 0} {
		if got := visit("192.0.2"); got != want {
			t.Errorf("request %d after the flood: %d of %d pass, want %d", 2+try, got, visitors, want)
		}
	}
	for try, want := range []int{visitors, 0} {
		if got := visit("198.51.100"); got != want {
			t.Errorf("request %d of who is new: %d of %d pass, want %d", 1+try, got, visitors, want)
		}
	}
}
