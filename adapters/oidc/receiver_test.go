package oidcsession_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

const (
	caep             = "https://schemas.openid.net/secevent/caep/event-type/"
	sessionRevoked   = caep + "session-revoked"
	credentialChange = caep + "credential-change"
)

// event is the claims of a security event token about a subject.
func (p *provider) event(name string, payload, subject object) object {
	claims := p.common().with(object{"exp": nil, "events": object{name: payload}})
	if subject != nil {
		claims["sub_id"] = subject
	}
	return claims
}

// pushes sends an event that must be taken.
func (n *node) pushes(claims object) {
	n.t.Helper()
	if status, body := n.push(n.p.sign(n.t, "secevent+jwt", claims)); status != http.StatusAccepted || body != "" {
		n.t.Errorf("an event: %d %q, want 202 and nothing", status, body)
	}
}

func TestASecurityEventEndsTheSessionsOfItsSubject(t *testing.T) {
	p, one, two := pair(t)
	user := object{"format": "iss_sub", "iss": p.URL, "sub": "ada"}
	sid := object{"format": "opaque", "id": "sid 1"}
	tenant := object{"format": "opaque", "id": "sid 2"}
	opaque := object{"format": "opaque", "id": "ada"}
	all := object{"format": "complex", "session": sid, "user": user, "tenant": tenant}
	const both, first, none = "both", "the first", "none"
	of := func(format string, members object) object { return members.with(object{"format": format}) }
	change := func(credential, change string) object {
		return object{"credential_type": credential, "change_type": change}
	}
	for name, row := range map[string]struct {
		event            string
		payload, subject object
		ends             string
		why              session.Reason
	}{
		"a session":           {sessionRevoked, object{"event_timestamp": 1}, sid, first, "provider"},
		"a user":              {sessionRevoked, object{}, user, both, "provider"},
		"a complex session":   {sessionRevoked, object{}, all, first, "provider"},
		"a complex user":      {sessionRevoked, object{}, of("complex", object{"user": user}), both, "provider"},
		"as in early drafts":  {sessionRevoked, object{"subject": object{"user": user}}, nil, both, "provider"},
		"a device":            {sessionRevoked, object{}, of("complex", object{"device": sid}), none, ""},
		"another issuer":      {sessionRevoked, object{}, user.with(object{"iss": "https://evil.example"}), none, ""},
		"another user":        {sessionRevoked, object{}, user.with(object{"sub": "bob"}), none, ""},
		"an address":          {sessionRevoked, object{}, of("email", object{"email": "a@b.example"}), none, ""},
		"a telephone":         {sessionRevoked, object{}, of("phone_number", object{"phone_number": "1"}), none, ""},
		"a password":          {credentialChange, change("password", "update"), user, both, "password"},
		"an opaque user":      {credentialChange, change("pin", "revoke"), opaque, both, "password"},
		"a password of sid 1": {credentialChange, change("", "update"), all, first, "password"},
		"a new key":           {credentialChange, change("fido2-roaming", "create"), user, none, ""},
		"another event":       {caep + "token-claims-change", object{}, user, none, ""},
		"a test of the stream": {"https://schemas.openid.net/secevent/ssf/event-type/verification",
			object{"state": "x"}, sid, none, ""},
	} {
		t.Run(name, func(t *testing.T) {
			phone, laptop, office := newBrowser(t), newBrowser(t), newBrowser(t)
			phone.signIn(one, "ada", "sid 1")
			laptop.signIn(one, "ada", "sid 2")
			office.post(one, "/password", map[string][]string{"user": {"ada"}})
			two.pushes(p.event(row.event, row.payload, row.subject))
			told := map[bool]string{true: "|" + string(row.why), false: "ada|"}
			phone.is(one, told[row.ends != none])
			laptop.is(one, told[row.ends == both])
			office.is(one, "ada|")
			p.clock.advance(time.Hour)
		})
	}
}

// The user who stands beside a session tells of those that the provider cannot name.
func TestASecurityEventOfASessionEndsWhatItsUserBeganWithoutASid(t *testing.T) {
	p, one, two := pair(t)
	sid := object{"format": "opaque", "id": "sid 1"}
	for name, row := range map[string]struct {
		user any
		want string
	}{
		"the user":        {object{"format": "iss_sub", "iss": p.URL, "sub": "ada"}, ended},
		"an opaque user":  {object{"format": "opaque", "id": "ada"}, ended},
		"another user":    {object{"format": "opaque", "id": "bob"}, "ada|"},
		"another issuer":  {object{"format": "iss_sub", "iss": "https://evil.example", "sub": "ada"}, "ada|"},
		"a broken user":   {object{"format": "opaque"}, "ada|"},
		"a user as text":  {"ada", "ada|"},
		"no user":         {nil, "ada|"},
		"an unknown user": {object{"format": "phone_number", "phone_number": "1"}, "ada|"},
	} {
		t.Run(name, func(t *testing.T) {
			phone, laptop, old := newBrowser(t), newBrowser(t), newBrowser(t)
			phone.signIn(one, "ada", "sid 1")
			laptop.signIn(one, "ada", "sid 2")
			old.signIn(one, "ada", "")
			subject := object{"format": "complex", "session": sid}.with(object{"user": row.user})
			two.pushes(p.event(sessionRevoked, object{}, subject))
			phone.is(one, ended)
			laptop.is(one, "ada|")
			old.is(one, row.want)
			p.clock.advance(time.Hour)
		})
	}
}

func TestASecurityEventWithAWrongClaimEndsNothing(t *testing.T) {
	p, one, two := pair(t)
	phone := newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	sid := object{"format": "opaque", "id": "sid 1"}
	rows := wrongTokens(p.clock.now().Unix())
	for name, more := range map[string]object{
		"an event that is null": {"events": object{sessionRevoked: json.RawMessage("null")}},
		"a change of a number":  {"events": object{credentialChange: object{"change_type": 7}}},
		"no subject":            {"sub_id": nil},
		"a subject as a text":   {"sub_id": "sid 1"},
		"a subject of nothing":  {"sub_id": object{}},
		"a subject without id":  {"sub_id": object{"format": "opaque"}},
		"a subject of numbers":  {"sub_id": object{"format": "opaque", "id": 7}},
		"a session of numbers":  {"sub_id": object{"session": object{"format": "opaque", "id": 7}}},
		"a user without sub":    {"sub_id": object{"format": "iss_sub", "iss": p.URL}},
		"a user without iss":    {"sub_id": object{"format": "iss_sub", "sub": "ada"}},
		"an empty address":      {"sub_id": object{"format": "email"}},
	} {
		rows[name] = more
	}
	codes := map[string]string{
		"another issuer": "invalid_issuer", "no issuer": "invalid_issuer", "an issuer in slashes": "invalid_issuer",
		"another audience": "invalid_audience", "other audiences": "invalid_audience",
		"no audience": "invalid_audience",
	}
	for name, more := range rows {
		status, body := two.push(p.sign(t, "secevent+jwt", p.event(sessionRevoked, object{}, sid).with(more)))
		want := codes[name]
		if want == "" {
			want = "invalid_request"
		}
		var answer struct{ Err, Description string }
		if err := json.Unmarshal([]byte(body), &answer); status != http.StatusBadRequest || err != nil ||
			answer.Err != want || answer.Description == "" {
			t.Errorf("%s: %d %s, want 400 with %s", name, status, body, want)
		}
	}
	for kind, want := range map[string]int{"": 400, "JWT": 400, "logout+jwt": 400, "application/secevent+jwt": 202} {
		phone.is(one, "ada|")
		if status, _ := two.push(p.sign(t, kind, p.event(sessionRevoked, object{}, sid))); status != want {
			t.Errorf("typ %q: %d, want %d", kind, status, want)
		}
		if want == http.StatusAccepted {
			phone.signInLater(one)
		}
	}
	two.pushes(p.event(sessionRevoked, object{}, sid))
	if status, _ := two.push(p.logoutToken(t, "ada", "sid 1")); status != http.StatusBadRequest {
		t.Errorf("a logout token: %d, want 400", status)
	}
	if status, _ := two.logout(p.sign(t, "secevent+jwt", p.event(sessionRevoked, object{}, sid))); status != 400 {
		t.Errorf("an event as a logout: %d, want 400", status)
	}
}

// signInLater signs in when the last end of sid 1 is forgotten.
func (b *browser) signInLater(n *node) {
	n.p.clock.advance(time.Hour)
	b.signIn(n, "ada", "sid 1")
}

func TestAnEventThatComesAgainIsAcknowledgedAndEndsNothing(t *testing.T) {
	p, one, two := pair(t)
	phone := newBrowser(t)
	token := p.sign(t, "secevent+jwt", p.event(sessionRevoked, object{},
		object{"format": "iss_sub", "iss": p.URL, "sub": "ada"}))
	if status, _ := one.push(token); status != http.StatusAccepted {
		t.Fatal(status)
	}
	for range 3 { // within a day, and when it is forgotten
		p.clock.advance(20 * time.Hour)
		if _, err := one.sessions.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		phone.signIn(one, "ada", "sid 1")
		if status, body := two.push(token); status != http.StatusAccepted || body != "" {
			t.Errorf("again: %d %s, want 202", status, body)
		}
		phone.is(one, "ada|")
	}
}

func TestAnEventIsPushedAsTheRFCSays(t *testing.T) {
	p, one, _ := pair(t)
	sid := object{"format": "opaque", "id": "sid 1"}
	handler, err := one.links.Receiver(oidcsession.Transmitter{Authorization: "Bearer of news"})
	if err != nil {
		t.Fatal(err)
	}
	const good, huge = "Bearer of news", 1 << 20
	for name, row := range map[string]struct {
		method, kind, authorization string
		padding, status             int
		err                         string
	}{
		"well":                 {"POST", setType, good, 0, 202, ""},
		"with GET":             {"GET", setType, good, 0, 405, ""},
		"as JSON":              {"POST", "application/json", good, 0, 400, "invalid_request"},
		"as nothing":           {"POST", "", good, 0, 400, "invalid_request"},
		"with another secret":  {"POST", setType, "Bearer of newt", 0, 400, "authentication_failed"},
		"without the secret":   {"POST", setType, "", 0, 400, "authentication_failed"},
		"with a huge body":     {"POST", setType, good, huge, 400, "invalid_request"},
		"with a bad signature": {"POST", setType, good, 4, 400, "invalid_key"},
	} {
		body := p.sign(t, "secevent+jwt", p.event(sessionRevoked, object{}, sid)) + strings.Repeat("a", row.padding)
		r := httptest.NewRequest(row.method, "/events", strings.NewReader(body))
		r.Header.Set("Content-Type", row.kind)
		r.Header.Set("Authorization", row.authorization)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		var answer struct{ Err string }
		_ = json.Unmarshal(w.Body.Bytes(), &answer)
		if w.Code != row.status || answer.Err != row.err || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, w.Body, row.status, row.err)
		}
	}
}

func TestATransmitterOfItsOwnHasItsOwnKeysAndReasons(t *testing.T) {
	p, one, two := pair(t)
	other := newProvider(t)
	other.keys = nil
	other.rotate(t)
	handler, err := one.links.Receiver(oidcsession.Transmitter{
		Issuer: other.URL, KeysURL: other.URL + "/keys", Audience: "events", Algorithms: []string{"ES256"},
		Email: func(_ context.Context, address string) (string, error) {
			if address == "down@example.com" {
				return "", errors.New("down")
			}
			return map[string]string{"ada@example.com": "ada"}[address], nil
		},
		Credential: func(credential, change string) session.Reason {
			return map[string]session.Reason{"password create": "chosen"}[credential+" "+change]
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	push := func(key *provider, name string, payload, subject object) int {
		claims := key.event(name, payload, subject).with(object{"iss": other.URL, "aud": "events",
			"iat": p.clock.now().Unix()})
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(key.sign(t, "secevent+jwt", claims)))
		r.Header.Set("Content-Type", "application/secevent+jwt")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	phone := newBrowser(t)
	phone.signIn(two, "ada", "sid 1")
	user := object{"format": "iss_sub", "iss": p.URL, "sub": "ada"}
	email := func(address string) object { return object{"format": "email", "email": address} }
	change := object{"credential_type": "password", "change_type": "update"}
	for name, row := range map[string]struct {
		key              *provider
		event            string
		payload, subject object
		status           int
	}{
		"signed by the provider": {p, sessionRevoked, object{}, user, 400},
		"another address":        {other, sessionRevoked, object{}, email("bob@example.com"), 202},
		"nobody can say whose":   {other, sessionRevoked, object{}, email("down@example.com"), 503},
		"no reason":              {other, credentialChange, change, user, 202},
	} {
		if got := push(row.key, row.event, row.payload, row.subject); got != row.status {
			t.Errorf("%s: %d, want %d", name, got, row.status)
		}
		phone.is(two, "ada|")
	}
	push(other, credentialChange, change.with(object{"change_type": "create"}), user)
	phone.is(two, "|chosen")
	p.clock.advance(time.Minute)
	phone.signIn(two, "ada", "sid 2")
	push(other, sessionRevoked, object{}, email("ada@example.com"))
	phone.is(two, ended)
}

func TestAnEventThatTheStoreCannotFinishMayComeAgain(t *testing.T) {
	p, store := newProvider(t), newStepped()
	n := newNode(t, p, store, oidcsession.Options{})
	two := newNode(t, p, store.Store, oidcsession.Options{})
	phone := newBrowser(t)
	phone.signIn(two, "ada", "sid 1")
	token := p.sign(t, "secevent+jwt", p.event(sessionRevoked, object{}, object{"format": "opaque", "id": "sid 1"}))
	store.on.Store(true)
	store.fails.Store(true)
	if status, _ := n.push(token); status != http.StatusServiceUnavailable {
		t.Errorf("%d, want 503", status)
	}
	store.fails.Store(false)
	if status, _ := n.push(token); status != http.StatusAccepted {
		t.Errorf("again: %d, want 202", status)
	}
	phone.is(two, ended)
}

func TestTwoClientsOfOneProviderDoNotEndEachOthersSessions(t *testing.T) {
	p, store := newProvider(t), memstore.New(memstore.Options{})
	n := newNode(t, p, store, oidcsession.Options{})
	other, err := oidcsession.New(n.sessions, store, discover(t, p), "other", oidcsession.Options{})
	if err != nil {
		t.Fatal(err)
	}
	phone := newBrowser(t)
	phone.signIn(n, "ada", "sid 1")
	w := httptest.NewRecorder()
	form := "logout_token=" + p.sign(t, "logout+jwt", p.logoutClaims("ada", "sid 1").with(object{"aud": "other"}))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	other.Logout().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	phone.is(n, "ada|")
	n.logsOut(p.logoutToken(t, "ada", "sid 1"))
	phone.is(n, ended)
}

func TestATokenOfTwoEventsIsTakenWholeAndTwoTokensAreNot(t *testing.T) {
	p, one, two := pair(t)
	phone, laptop := newBrowser(t), newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	laptop.signIn(one, "ada", "sid 2")
	user := object{"format": "iss_sub", "iss": p.URL, "sub": "ada"}
	both := p.event(sessionRevoked, object{}, object{"session": object{"format": "opaque", "id": "sid 1"}})
	both["events"] = object{
		sessionRevoked:   object{},
		credentialChange: object{"change_type": "update", "credential_type": "password"},
	}
	first, second := p.sign(t, "secevent+jwt", both), p.sign(t, "secevent+jwt", p.event(sessionRevoked, object{}, user))
	for _, body := range []string{first + "\n" + second, first + "," + second, `["` + first + `"]`,
		`{"sets":{"a":"` + first + `"}}`} {
		if status, _ := two.push(body); status != http.StatusBadRequest {
			t.Errorf("several at once: %d, want 400", status)
		}
	}
	phone.is(one, "ada|")
	two.pushes(both)
	phone.is(one, ended)
	laptop.is(one, "ada|")
	two.pushes(p.event(sessionRevoked, object{}, user))
	laptop.is(one, ended)
}

func TestATransmitterPrintsNoAuthorization(t *testing.T) {
	var log strings.Builder
	from := oidcsession.Transmitter{Authorization: "Bearer of news"}
	slog.New(slog.NewTextHandler(&log, nil)).Info("receive", "from", from)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("receive", "from", &from)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&log, format, from)
	}
	if strings.Contains(log.String(), "news") {
		t.Errorf("it prints as %s", log.String())
	}
}
