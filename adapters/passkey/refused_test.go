package passkey_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
)

func parse(t *testing.T, got answer) (o options) {
	t.Helper()
	if err := json.Unmarshal([]byte(got.body), &o); err != nil {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return o
}

func TestWhatABrowserOrADeviceSaysWronglyIsRefused(t *testing.T) {
	st := newSite(t)
	d := st.registered("ada")
	bob := st.registered("bob")
	for name, change := range map[string]func(*device){
		"another origin":           func(d *device) { d.origin = "https://app.example.com.evil.test" },
		"the origin in plain http": func(d *device) { d.origin = "http://app.example.com" },
		"another port":             func(d *device) { d.origin += ":8443" },
		"another relying party":    func(d *device) { d.rpID = "example.com" },
		"a frame of another site":  func(d *device) { d.client = map[string]any{"crossOrigin": true} },
		"a page around it": func(d *device) {
			d.client = map[string]any{"crossOrigin": true, "topOrigin": "https://evil.test"}
		},
		"nobody there":     func(d *device) { d.flags = verified },
		"nobody verified":  func(d *device) { d.flags = present },
		"another's handle": func(d *device) { d.handle = bob.handle },
		"another's key":    func(d *device) { d.key = bob.key },
		"an unknown id":    func(d *device) { d.id = []byte("unknown") },
		"another's id":     func(d *device) { d.id = bob.id },
		"no handle":        func(d *device) { d.handle = nil },
		"a kind of create": func(d *device) { d.client = map[string]any{"type": "webauthn.create"} },
		"a late eligible":  func(d *device) { d.flags |= eligible },
		"a forged handle":  func(d *device) { d.handle = []byte(strings.Repeat("x", 65)) },
	} {
		b, wrong := st.browser(), *d
		change(&wrong)
		if got := b.finish("sign-in", wrong.get(t, b.begin("sign-in", "{}"))); got.status != http.StatusForbidden ||
			!strings.Contains(got.body, "This passkey was not accepted.") {
			t.Errorf("%s: status %d, %s", name, got.status, got.body)
		}
		b.wantWho("")
	}
	for name, change := range map[string]func(*device){
		"another origin":  func(d *device) { d.origin = "https://evil.test" },
		"nobody verified": func(d *device) { d.flags = present },
	} {
		b, made := st.browser(), newDevice(t)
		b.do("login=ada")
		change(made)
		if got := b.finish("register", made.create(t, b.begin("register", "{}"))); got.status != http.StatusForbidden {
			t.Errorf("registered with %s: status %d", name, got.status)
		}
	}
}

func TestAFrameOfANamedSiteMayUsePasskeys(t *testing.T) {
	st := newSite(t, func(up *setup) { up.passkey.EmbeddedIn = []string{"https://partner.test"} })
	d := st.registered("ada")
	for top, want := range map[string]int{"https://partner.test": 204, "https://evil.test": 403} {
		b, framed := st.browser(), *d
		framed.client = map[string]any{"crossOrigin": true, "topOrigin": top}
		got := b.post("/passkey/sign-in/begin", "{}")
		if cookie := got.header.Get("Set-Cookie"); !strings.Contains(cookie, "SameSite=None; Partitioned") {
			t.Errorf("the cookie is %q, which no frame sends", cookie)
		}
		b.finish("sign-in", framed.get(t, parse(t, got))).want(t, want)
		d.count++
	}
}

func TestRequestsThatAreNoneAreRefused(t *testing.T) {
	st := newSite(t)
	b := st.browser()
	b.do("login=ada")
	for _, c := range []struct {
		method, path, kind, body string
		want                     int
	}{
		{"GET", "sign-in/begin", "application/json", "", 405},
		{"PUT", "sign-in/begin", "application/json", "{}", 405},
		{"POST", "sign-in/begin", "text/plain", "{}", 415},
		{"POST", "sign-in/begin", "application/x-www-form-urlencoded", "{}", 415},
		{"POST", "sign-in/begin", "", "{}", 415},
		{"POST", "sign-in/begin", "application/json; charset", "{}", 415},
		{"POST", "sign-in/begin", "application/json; charset=utf-8", "{}", 200},
		{"POST", "sign-in/begin", "application/json", "", 400},
		{"POST", "sign-in/begin", "application/json", `{"user":7}`, 400},
		{"POST", "sign-in/begin", "application/json", `{"user":"` + strings.Repeat("x", 256) + `"}`, 400},
		{"POST", "sign-in/begin", "application/json", `{"user":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
		{"POST", "sign-in/", "application/json", "{}", 404},
		{"POST", "sign-in/other", "application/json", "{}", 404},
		{"POST", "sign-in/finish", "application/json", "", 400},
		{"POST", "sign-in/finish", "application/json", "null", 400},
		{"POST", "sign-in/finish", "application/json", "{}", 400},
		{"POST", "sign-in/finish", "application/json", strings.Repeat("[", 60<<10), 400},
		{"POST", "register/finish", "application/json", `{"id":"AA","rawId":"AA","type":"public-key"}`, 400},
		{"POST", "confirm/begin", "application/json", "{}", 409},
	} {
		b.header.Set("Content-Type", c.kind)
		got := b.send(c.method, "/passkey/"+c.path, c.body)
		if got.status != c.want {
			t.Errorf("%s %s %q %.40q: status %d, want %d: %s", c.method, c.path, c.kind, c.body, got.status, c.want,
				got.body)
		}
		if kind := got.header.Get("Content-Type"); got.status != 200 && kind != "application/problem+json" {
			t.Errorf("%s %s: Content-Type %q", c.method, c.path, kind)
		}
	}
}

func TestAnAnswerTellsNotWhetherAnAccountExists(t *testing.T) {
	st := newSite(t)
	d := st.registered("ada")
	shape := func(o options) (shapes []string) {
		for _, allowed := range o.PublicKey.Allow {
			shapes = append(shapes, fmt.Sprint(slices.Sorted(maps.Keys(allowed)), allowed["type"]))
		}
		return slices.Compact(shapes)
	}
	texts := map[string]bool{}
	known := st.browser().begin("sign-in", `{"user":"ada"}`)
	for _, name := range []string{"bob", "nobody"} {
		body := `{"user":"` + name + `"}`
		b := st.browser()
		o := b.begin("sign-in", body)
		if got, want := shape(o), shape(known); !slices.Equal(got, want) {
			t.Errorf("%s: the browser is told %v, want %v", name, got, want)
		}
		if again := st.browser().begin("sign-in", body); !reflect.DeepEqual(again.PublicKey.Allow, o.PublicKey.Allow) {
			t.Errorf("%s has another passkey each time: %v, %v", name, o.PublicKey.Allow, again.PublicKey.Allow)
		}
		texts[b.finish("sign-in", d.get(t, o)).want(t, http.StatusForbidden).body] = true
	}
	b, wrong := st.browser(), newDevice(t)
	wrong.id, wrong.handle = d.id, d.handle
	texts[b.finish("sign-in", wrong.get(t, b.begin("sign-in", `{"user":"ada"}`))).body] = true
	if len(texts) != 1 {
		t.Errorf("answers differ: %v", texts)
	}
}

// What is made up cannot be told by its length or number alone, and each node that signs with the same secret makes it
// up alike.
func TestPasskeysThatNobodyHasLookLikeThoseOfMany(t *testing.T) {
	secret := session.NewSecret()
	st := newSite(t, func(up *setup) { up.session.Secrets = []session.Secret{secret} })
	node := newSite(t, func(up *setup) { up.session.Secrets = []session.Secret{secret, session.NewSecret()} })
	b, other := st.browser(), node.browser()
	numbers, sizes, ids := map[int]int{}, map[int]int{}, map[string]bool{}
	for i := range 100 {
		body := fmt.Sprintf(`{"user":"nobody%d"}`, i)
		allowed := b.begin("sign-in", body).PublicKey.Allow
		if again := other.begin("sign-in", body).PublicKey.Allow; !reflect.DeepEqual(allowed, again) {
			t.Fatalf("two nodes tell of %v and %v", allowed, again)
		}
		numbers[len(allowed)]++
		for _, one := range allowed {
			id, err := base64.RawURLEncoding.DecodeString(one["id"].(string))
			if err != nil || ids[string(id[:16])] {
				t.Errorf("the id %q: %v, or it came before", id, err)
			}
			ids[string(id[:16])] = true
			sizes[len(id)]++
		}
	}
	if len(numbers) != 2 || numbers[1] < numbers[2] || len(sizes) != 4 {
		t.Errorf("accounts by their number of passkeys: %v, passkeys by the length of their ids: %v", numbers, sizes)
	}
}

// A database may refuse such a name with an error of its own, which would be an outage at any stranger's will.
func TestTheSiteIsNotAskedForANameThatNobodyCanHave(t *testing.T) {
	st := newSite(t)
	d := st.registered("ada")
	st.accounts.change(func(map[string]*passkey.Account) { st.accounts.down = errors.New("no such character") })
	for _, name := range []string{`a\u0000`, `\u202eada`, ` ada`} {
		b := st.browser()
		o := b.begin("sign-in", `{"user":"`+name+`"}`)
		if len(o.PublicKey.Allow) == 0 {
			t.Errorf("%s: the browser is told of no passkey", name)
		}
		b.finish("sign-in", d.get(t, o)).want(t, http.StatusForbidden)
	}
}

func TestACopiedKeyIsRefused(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	copied := *d
	b.finish("sign-in", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusNoContent)
	b.do("logout=1")
	b.finish("sign-in", copied.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusForbidden)
	b.wantWho("")
	if why := st.why(); !strings.Contains(why, "copied") {
		t.Errorf("the event says %q", why)
	}
	a, err := st.accounts.Account(t.Context(), "ada")
	if err != nil || !a.Credentials[0].Authenticator.CloneWarning {
		t.Errorf("the site is not told: %+v, %v", a.Credentials, err)
	}
}

// Passkeys that are synchronized between devices do not count.
func TestAKeyThatDoesNotCountIsAccepted(t *testing.T) {
	st := newSite(t)
	d, b := newDevice(t), st.browser()
	d.count--
	b.do("login=ada")
	b.finish("register", d.create(t, b.begin("register", "{}"))).want(t, http.StatusNoContent)
	for range 2 {
		d.count--
		b.finish("sign-in", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusNoContent)
	}
}

func TestAKeyWithoutVerificationIsOneFactor(t *testing.T) {
	st := newSite(t, func(up *setup) { up.passkey.UserVerification = protocol.VerificationPreferred })
	d, b := st.registered("ada"), st.browser()
	d.flags = present
	b.finish("sign-in", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusNoContent)
	b.wantWho("ada webauthn")
	d.flags = present | verified
	b.finish("confirm", d.get(t, b.begin("confirm", "{}"))).want(t, http.StatusNoContent)
	b.wantWho("ada webauthn webauthn.uv")
}

func TestAPasskeyIsRegisteredOnce(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	o := b.begin("register", "{}")
	if len(o.PublicKey.Exclude) != 1 || o.PublicKey.Exclude[0]["id"] != b64(d.id) {
		t.Errorf("the browser is told to exclude %v, want the passkey that there is", o.PublicKey.Exclude)
	}
	b.do("login=bob")
	b.finish("register", d.create(t, b.begin("register", "{}"))).want(t, http.StatusConflict)
}

func TestAPasskeyThatWasRemovedOrAnAccountThatIsBlockedOpensNothing(t *testing.T) {
	for name, change := range map[string]func(map[string]*passkey.Account){
		"removed": func(all map[string]*passkey.Account) { all["ada"].Credentials = nil },
		"blocked": func(all map[string]*passkey.Account) { delete(all, "ada") },
	} {
		for _, begin := range []string{"{}", `{"user":"ada"}`} {
			st := newSite(t)
			d, b := st.registered("ada"), st.browser()
			o := b.begin("sign-in", begin)
			st.accounts.change(change)
			if got := b.finish("sign-in", d.get(t, o)); got.status != http.StatusForbidden {
				t.Errorf("%s after %s: status %d", name, begin, got.status)
			}
			b.wantWho("")
		}
	}
}

func TestAPasskeyThatIsRemovedWhileItIsUsedOpensNothing(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	st.accounts.used = func() {
		st.accounts.change(func(all map[string]*passkey.Account) { all["ada"].Credentials = nil })
	}
	b.finish("sign-in", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusForbidden)
	b.wantWho("")
}

func TestAnOutageOfTheAccountsSignsNobodyIn(t *testing.T) {
	var failed []error
	st := newSite(t, func(up *setup) {
		up.session.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
			failed = append(failed, err)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	d, b := st.registered("ada"), st.browser()
	down := errors.New("the database is down")
	o := b.begin("sign-in", "{}")
	st.accounts.down = down
	b.finish("sign-in", d.get(t, o)).want(t, http.StatusServiceUnavailable)
	b.post("/passkey/sign-in/begin", `{"user":"ada"}`).want(t, http.StatusServiceUnavailable)
	b.wantWho("")
	if len(failed) != 2 || !errors.Is(failed[0], down) || !errors.Is(failed[1], down) {
		t.Errorf("OnError got %v", failed)
	}
}

func TestAnAccountWithoutAHandleIsAnError(t *testing.T) {
	var failed error
	st := newSite(t, func(up *setup) {
		up.session.OnError = func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err }
	})
	b := st.browser()
	b.do("login=ada")
	for _, handle := range [][]byte{nil, make([]byte, 65)} {
		failed = nil
		st.accounts.change(func(all map[string]*passkey.Account) { all["ada"].Handle = handle })
		b.post("/passkey/register/begin", "{}").want(t, http.StatusInternalServerError)
		if failed == nil || !strings.Contains(failed.Error(), "Account.Handle") {
			t.Errorf("OnError got %v, want what to do", failed)
		}
	}
}

// Above the limit nobody is signed in, and the answer is used up.
func TestALimitOfSessionsHolds(t *testing.T) {
	st := newSite(t, func(up *setup) { up.session.MaxPerUser, up.session.Overflow = 1, session.RefuseNew })
	d, first, b := st.registered("ada"), st.browser(), st.browser()
	first.do("login=ada")
	body := d.get(t, b.begin("sign-in", "{}"))
	b.finish("sign-in", body).want(t, http.StatusForbidden)
	b.wantWho("")
	first.do("logout=1")
	b.finish("sign-in", body).want(t, http.StatusConflict)
}

func TestARefusalTellsTheOperatorAndNobodyElse(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	d.flags = present
	got := b.finish("sign-in", d.get(t, b.begin("sign-in", "{}")))
	if why := st.why(); !strings.Contains(why, "verif") {
		t.Errorf("the event says %q, want that the user was not verified", why)
	}
	for _, secret := range []string{"verif", b64(d.id), b64(d.handle)} {
		if strings.Contains(got.body, secret) || secret != "verif" && strings.Contains(st.why(), secret) {
			t.Errorf("%q is told in %s or %s", secret, got.body, st.why())
		}
	}
}
