package session_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Each wrong option is refused by New, with its name and without any secret.
func TestAWrongOptionIsRefusedByName(t *testing.T) {
	pattern := func(text string, n int) []session.Secret {
		return []session.Secret{session.Secret(strings.Repeat(text, n))}
	}
	secret := func(o *session.Options) { o.Secrets = []session.Secret{testSecret} }
	wrong := map[string]struct {
		names  string
		change func(*session.Options)
	}{
		"no secret":       {"Secrets", func(o *session.Options) { o.Secrets = nil }},
		"an empty secret": {"Secrets", func(o *session.Options) { o.Secrets = []session.Secret{nil} }},
		"31 bytes": {"Secrets",
			func(o *session.Options) { o.Secrets = []session.Secret{testSecret[:31]} }},
		"an older secret of 31 bytes": {"Secrets",
			func(o *session.Options) { o.Secrets = append(o.Secrets, session.NewSecret()[:31]) }},
		"zeros":           {"Secrets", func(o *session.Options) { o.Secrets = pattern("\x00", 32) }},
		"one byte":        {"Secrets", func(o *session.Options) { o.Secrets = pattern("a", 64) }},
		"a short pattern": {"Secrets", func(o *session.Options) { o.Secrets = pattern("changeme", 4) }},
		"a pattern cut":   {"Secrets", func(o *session.Options) { o.Secrets = pattern("secret", 6) }},
		"SameSite default": {"Cookie.SameSite", func(o *session.Options) {
			o.Cookie.SameSite = http.SameSiteDefaultMode
		}},
		"SameSite unknown":  {"Cookie.SameSite", func(o *session.Options) { o.Cookie.SameSite = 9 }},
		"SameSite negative": {"Cookie.SameSite", func(o *session.Options) { o.Cookie.SameSite = -1 }},
		"None without Secure": {"Cookie.SameSite", func(o *session.Options) {
			o.Cookie = session.Cookie{SameSite: http.SameSiteNoneMode, Insecure: true}
		}},
		"Partitioned without Secure": {"Cookie.Partitioned",
			func(o *session.Options) { o.Cookie = session.Cookie{Partitioned: true, Insecure: true} }},
		"__Host- with Domain": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__Host-x", Domain: "example.com"} }},
		"__Host- with Path": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__Host-x", Path: "/api"} }},
		"__Host- with Insecure": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__Host-x", Insecure: true} }},
		"__host- with Insecure": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__host-x", Insecure: true} }},
		"__Secure- with Insecure": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__Secure-x", Insecure: true} }},
		"__Http- with ScriptAccess": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__Http-x", ScriptAccess: true} }},
		"a name with a space":      {"Cookie.Name", func(o *session.Options) { o.Cookie.Name = "a b" }},
		"a name with a semicolon":  {"Cookie.Name", func(o *session.Options) { o.Cookie.Name = "a;b" }},
		"a path without slash":     {"Cookie.Path", func(o *session.Options) { o.Cookie.Path = "api" }},
		"a path with a line break": {"Cookie.Path", func(o *session.Options) { o.Cookie.Path = "/a\r\nX: y" }},
		"a domain with a port":     {"Cookie.Domain", func(o *session.Options) { o.Cookie.Domain = "example.com:80" }},
		"IdleTimeout without a unit": {"IdleTimeout: 30ns is below one second; did you mean 30*time.Second?",
			func(o *session.Options) {
				o.IdleTimeout = 30
			}},
		"Lifetime in another unit": {"Lifetime: 90ms is below one second; did you mean 90*time.Second?",
			func(o *session.Options) {
				o.Lifetime = 90 * time.Millisecond
			}},
		"a negative IdleTimeout": {"IdleTimeout: -1m0s is negative; use session.Never",
			func(o *session.Options) { o.IdleTimeout = -time.Minute }},
		"a negative Lifetime": {"Lifetime: -2ns is negative; use session.Never",
			func(o *session.Options) { o.Lifetime = -2 }},
		"the least Lifetime": {"Lifetime", func(o *session.Options) { o.Lifetime = math.MinInt64 }},
		"a negative SweepEvery": {"SweepEvery: -1s is negative; use session.Never",
			func(o *session.Options) { o.SweepEvery = -time.Second }},
		"a negative TouchEvery": {"TouchEvery: -1s is negative; use -1",
			func(o *session.Options) { o.TouchEvery = -time.Second }},
		"RenewEvery": {"RenewEvery: -1ns is negative; use 0", func(o *session.Options) { o.RenewEvery = -1 }},
		"SweepEvery without a unit": {"SweepEvery: 5ns is below one millisecond; did you mean 5*time.Second?",
			func(o *session.Options) { o.SweepEvery = 5 }},
		"WatchEvery without a unit": {"WatchEvery: 5ns is below one millisecond; did you mean 5*time.Second?",
			func(o *session.Options) { o.WatchEvery = 5 }},
		"RenewGrace": {"RenewGrace: -1s is negative; use 0",
			func(o *session.Options) { o.RenewGrace = -time.Second }},
		"WatchEvery": {"WatchEvery: -1ns is negative; use 0", func(o *session.Options) { o.WatchEvery = -1 }},
		"a long WatchEvery": {"WatchEvery: 6s is more than 5s; use less",
			func(o *session.Options) { o.WatchEvery = 6 * time.Second }},
		"MaxPerUser": {"MaxPerUser: -1 is negative; use 0", func(o *session.Options) { o.MaxPerUser = -1 }},
		"MaxBytes":   {"MaxBytes: -1 is negative; use 0", func(o *session.Options) { o.MaxBytes = -1 }},
		"Overflow":   {"Overflow", func(o *session.Options) { o.Overflow = 7 }},
		"TouchEvery = IdleTimeout": {"TouchEvery", func(o *session.Options) {
			o.TouchEvery, o.IdleTimeout = time.Hour,
				time.Hour
		}},
		"TouchEvery above default": {"TouchEvery", func(o *session.Options) { o.TouchEvery = 25 * time.Hour }},
		"an empty header name":     {"Transport", func(o *session.Options) { o.Transport = session.Header("") }},
		"a header name with a break": {"Transport",
			func(o *session.Options) { o.Transport = session.Header("X\r\nSet-Cookie: a") }},
		"the header Set-Cookie": {"Transport: the header Set-Cookie",
			func(o *session.Options) { o.Transport = session.Header("set-cookie") }},
		"the header Cookie": {"Transport: the header Cookie",
			func(o *session.Options) { o.Transport = session.Header("Cookie") }},
		"the header Content-Length": {"Transport: the header Content-Length",
			func(o *session.Options) { o.Transport = session.Header("content-length") }},
		"the header TE": {"Transport: the header Te",
			func(o *session.Options) { o.Transport = session.Header("TE") }},
		"the header Connection": {"Transport: the header Connection",
			func(o *session.Options) { o.Transport = session.Header("Connection") }},
		"the header Host": {"Transport: the header Host",
			func(o *session.Options) { o.Transport = session.Header("Host") }},
		"the header Vary": {"Transport: the header Vary",
			func(o *session.Options) { o.Transport = session.Header("Vary") }},
		"__Host-Http- with scripts": {"Cookie.Name", func(o *session.Options) {
			o.Cookie = session.Cookie{Name: "__Host-Http-x", ScriptAccess: true}
		}},
		"__Host-Http- with Path": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__Host-Http-x", Path: "/a"} }},
		"__HOST-HTTP- with Insecure": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__HOST-HTTP-x", Insecure: true} }},
		"__Http- with Insecure": {"Cookie.Name",
			func(o *session.Options) { o.Cookie = session.Cookie{Name: "__Http-x", Insecure: true} }},
		"a header name with a colon": {"Transport",
			func(o *session.Options) { o.Transport = session.Header("X-Session:") }},
	}
	for name, w := range wrong {
		t.Run(name, func(t *testing.T) {
			opts := session.Options{SweepEvery: -1}
			secret(&opts)
			w.change(&opts)
			m, err := session.New(memstore.New(memstore.Options{}), opts)
			if m != nil || err == nil || !strings.Contains(err.Error(), w.names) {
				t.Fatalf("New = %v, %v, want an error that names %s", m, err, w.names)
			}
			for _, s := range opts.Secrets {
				if len(s) > 0 && strings.Contains(err.Error(), string(s)) {
					t.Error("the error contains the secret")
				}
			}
		})
	}
	t.Run("a nil store", func(t *testing.T) {
		for _, store := range []session.Store{nil, (*memstore.Store)(nil)} {
			opts := session.Options{SweepEvery: -1}
			secret(&opts)
			if _, err := session.New(store, opts); err == nil || !strings.Contains(err.Error(), "store") {
				t.Errorf("New = %v, want an error that names the store", err)
			}
		}
	})
	t.Run("all at once", func(t *testing.T) {
		_, err := session.New(nil, session.Options{Cookie: session.Cookie{Name: "a b", Path: "x"}, MaxBytes: -1})
		for _, name := range []string{"store", "Secrets", "Cookie.Name", "Cookie.Path", "MaxBytes"} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("the error does not name %s: %v", name, err)
			}
		}
	})
}

// What looks odd and is meant is accepted.
func TestUnusualOptionsAreAccepted(t *testing.T) {
	for name, change := range map[string]func(*session.Options){
		"no clocks":                    func(o *session.Options) { o.IdleTimeout, o.Lifetime = -1, -1 },
		"a touch at every request":     func(o *session.Options) { o.TouchEvery = -1 },
		"a long touch without a clock": func(o *session.Options) { o.TouchEvery, o.IdleTimeout = time.Hour, -1 },
		"all of it each time":          func(o *session.Options) { o.RenewEvery, o.RenewGrace, o.TouchEvery = 1, 1, 1 },
		"many secrets": func(o *session.Options) {
			o.Secrets = append(o.Secrets, session.NewSecret(), session.NewSecret())
		},
		"a text of 32 letters": func(o *session.Options) {
			o.Secrets = []session.Secret{session.Secret("correct horse battery staple, 42!")}
		},
	} {
		t.Run(name, func(t *testing.T) { newRig(t, change).visitor().with(func(s *session.Session) { s.Set("x", 1) }) })
	}
}

// New copies what it keeps: later changes of the options change nothing.
func TestNewCopiesItsOptions(t *testing.T) {
	mine := session.NewSecret()
	secrets := []session.Secret{mine}
	r := newRig(t, func(o *session.Options) { o.Secrets = secrets })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	clear(mine)
	secrets[0] = session.NewSecret()
	if r.sees(v.ticket()) != int64(1) {
		t.Error("the ticket no longer opens")
	}
	v.with(func(s *session.Session) { s.Set("x", 2) })
	if r.sees(v.ticket()) != int64(2) {
		t.Error("the session cannot be written")
	}
}

type canaryKey struct{}

// However it is printed, logged or encoded, nothing of ours shows a secret, a ticket or a value.
func TestNothingPrintsASecretATicketOrAValue(t *testing.T) {
	const canary = "canary-value-of-the-session"
	secret := session.Secret("canary-secret-with-32-bytes-or-more")
	var logged bytes.Buffer
	opts := session.Options{Secrets: []session.Secret{secret, session.NewSecret()}, SweepEvery: -1}
	r := newRig(t, func(o *session.Options) {
		o.Secrets = opts.Secrets
		o.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s, _ := r.Open(t.Context(), "")
	s.Login("ada")
	s.Set("x", canary)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	rec, err := r.store.fullStore.Load(t.Context(), s.ID())
	if err != nil {
		t.Fatal(err)
	}
	infos, _ := r.Sessions(t.Context(), "ada")
	_, decode := session.Key[int]("x").Lookup(s)
	_, date := session.Key[time.Time]("x").Lookup(s)
	s.Set("bad", failingValue{canary})
	_, short := session.New(r.store, session.Options{Secrets: []session.Secret{secret[:20]}})
	_, parsed := session.ParseSecrets("base64:canary-secret!,base64:" + canary)
	_, unparsed := session.ParseSecrets(canary)
	r.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Get("x") },
		"__Host-Http-session="+flip(s.Token(), 10))
	var within context.Context
	r.cookieRequest(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) { within = req.Context() },
		"__Host-Http-session="+s.Token())
	r.store.hook(func(string, string) error { return errDown })
	_, down := r.Open(t.Context(), s.Token())
	things := map[string]any{
		"Secret": secret, "*Secret": &secret, "[]Secret": opts.Secrets, "Options": opts, "*Options": &opts,
		"Manager": r.Manager, "Session": s,
		"Foreign": session.Foreign{Token: canary}, "*Foreign": &session.Foreign{Token: canary},
		"Record": *rec, "*Record": rec, "[]*Record": []*session.Record{rec}, "Info": infos, "Events": r.ev.list,
		"in a struct": struct{ S, M, O, R any }{s, r.Manager, opts, rec},
		"DecodeError": decode, "DecodeError of a time": date, "Err": s.Err(), "an error of New": short,
		"the context of a request": within, "a context in it": context.WithValue(within, canaryKey{}, 1),
		"an error of ParseSecrets":      parsed,
		"another error of ParseSecrets": unparsed, "an outage": down, "Findings": r.Audit(),
	}
	ticket := s.Token()
	check := func(what, text string) {
		t.Helper()
		hidden := []string{canary, "canary-secret", hex.EncodeToString(secret[:8]),
			fmt.Sprint([]byte(secret)[:8])[1:20], ticket, ticket[3:46], ticket[47:]}
		for _, h := range hidden {
			if strings.Contains(strings.ToLower(text), strings.ToLower(h)) {
				t.Errorf("%s shows %q: %q", what, h, text)
			}
		}
	}
	for what, v := range things {
		if v == nil {
			t.Errorf("%s is nil", what)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			check(what+" with "+verb, fmt.Sprintf(verb, v))
		}
		text, err := json.Marshal(v)
		check(what+" as JSON", fmt.Sprint(string(text), err))
		for _, handler := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b bytes.Buffer
			slog.New(handler(&b)).Info("x", "thing", v, slog.Group("g", "thing", v))
			check(what+" in a log", b.String())
		}
	}
	check("the manager's log", logged.String())
	if !strings.Contains(logged.String(), "rejected") {
		t.Errorf("the log has no events: %s", logged.String())
	}
}

// failingValue does not encode, and says too much about it.
type failingValue struct{ text string }

func (v failingValue) MarshalJSON() ([]byte, error) {
	return nil, errors.New("cannot encode " + v.text)
}

// OnEvent is told with the request's context, and no callback is called with a lock held.
func TestCallbacksMayUseTheSession(t *testing.T) {
	var r *rig
	r = newRig(t, func(o *session.Options) {
		o.OnEvent = func(ctx context.Context, e session.Event) {
			if s, err := session.Load(ctx); err == nil {
				_, _ = s.ID(), s.All()
			}
		}
		o.OnError = func(w http.ResponseWriter, req *http.Request, err error) {
			_, _ = r.Sessions(req.Context(), "ada")
			http.Error(w, "x", http.StatusTeapot)
		}
	})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Regenerate()
		w.WriteHeader(200)
		s.Regenerate()
		s.Set("x", make(chan int))
	})
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	if resp := v.with(func(s *session.Session) { s.Set("x", make(chan int)) }); resp.StatusCode != 418 {
		t.Errorf("status %d, want OnError's", resp.StatusCode)
	}
}
