package storm

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/coatcheck/session/guard"
)

// step is a request, and returns the next one that the client makes, nil for any.
type step func(context.Context, *visit) step

// gate is a request that a guard lets through, or not.
type gate struct {
	name string
	pass step
}

func gates() []gate {
	return []gate{
		{"address", func(ctx context.Context, v *visit) step { return v.limited(ctx, addresses) }},
		{"user", func(ctx context.Context, v *visit) step { return v.limited(ctx, usersOf) }},
		{"sign in", func(ctx context.Context, v *visit) step {
			return v.signIn(ctx, pick(v.rng, v.w.users...), v.rng.IntN(2) == 0)
		}},
		{"once", func(ctx context.Context, v *visit) step { return v.transfer(ctx, v.operation()) }},
	}
}

// passage is a request to a gate.
type passage struct {
	fact
	by     *visit
	what   string // that is counted
	key    string // as what
	right  bool   // the password is
	passed bool
	status int // 0: not yet
}

// unsure reports whether a request may have been counted although it did not pass.
func (p *passage) unsure() bool { return !p.passed && p.status != http.StatusTooManyRequests }

// knock notes a request to a gate. The function notes its answer.
func (v *visit) knock(what, key string) (p *passage, answered func(status int)) {
	p = &passage{fact: fact{from: v.w.next()}, by: v, what: what, key: key}
	v.did = append(v.did, what, key)
	v.w.mu.Lock()
	defer v.w.mu.Unlock()
	v.w.passages = append(v.w.passages, p)
	return p, func(status int) { p.status, p.to = status, v.w.next() }
}

// What is counted.
const (
	addresses  = "address"
	usersOf    = "user"
	accounts   = "account"
	operations = "operation"
)

const (
	perHour  = 3 // requests that pass a limit in a round, which takes seconds
	attempts = 2 // wrong passwords
)

// guardOptions count failures for longer than a round takes.
func (w *world) guardOptions(node int) guard.Options {
	return guard.Options{SignIn: guard.SignInLimits{
		Attempts: attempts, Wait: time.Hour, AddressAttempts: 10000, Store: w.stores[node],
	}}
}

// limited is a request behind a limit, by one of two addresses, or by the user who is signed in.
func (v *visit) limited(ctx context.Context, what string) step {
	if v.w.stores[v.node] == nil {
		return nil
	}
	l := guard.Limit{Name: what, Requests: perHour, Per: time.Hour}
	r := v.request(ctx, "")
	if what == addresses {
		l.By, l.Store = guard.Address, v.w.stores[v.node]
		r.RemoteAddr = pick(v.rng, "192.0.2.1:1", "198.51.100.1:1")
	} else {
		l.Users = v.w.stores[v.node]
	}
	p, answered := v.knock(what, r.RemoteAddr)
	answered(v.serve(r, v.handler(func(rw http.ResponseWriter, r *http.Request) {
		if what == usersOf {
			p.key = v.s.User()
		}
		v.g.Rate(l)(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			p.passed = true
			v.done(rw)
		})).ServeHTTP(rw, r)
	})))
	return nil
}

const deviceName = "__Host-device"

// device is the cookie of a browser, and the accounts that have been signed in to with it.
type device struct {
	text, id string
	accounts []string
}

// keepDevice has the client keep what the response says of its device.
func (v *visit) keepDevice(cookies []*http.Cookie) {
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == deviceName })
	if i < 0 {
		return
	}
	r := &http.Request{Header: http.Header{}}
	r.AddCookie(cookies[i])
	text, err := v.m.Signed(r, deviceName)
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < 16 {
		v.w.fault("%v: the cookie of the device is none: %v", v, err)
		return
	}
	d := &device{text: cookies[i].Value, id: string(raw[:16]), accounts: []string{v.account}}
	if v.device != nil {
		d.accounts = append(d.accounts, v.device.accounts...)
		if d.id != v.device.id {
			v.w.fault("%v: the device has become another one", v)
		}
	}
	v.client.mu.Lock()
	defer v.client.mu.Unlock()
	v.client.device = d
}

// signIn tries a password.
func (v *visit) signIn(ctx context.Context, user string, right bool) step {
	if v.w.stores[v.node] == nil {
		return nil
	}
	v.account = user
	key := user
	if v.device != nil && slices.Contains(v.device.accounts, user) {
		key += " on the device " + base64.RawURLEncoding.EncodeToString([]byte(v.device.id))
	}
	p, answered := v.knock(accounts, key)
	p.right, p.user = right, user
	form := v.g.SignIn(func(r *http.Request) string { return r.PostFormValue("user") })
	answered(v.serve(v.request(ctx, "user="+user), v.handler(func(rw http.ResponseWriter, r *http.Request) {
		form(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			p.passed = true
			if right {
				v.login(user)
			}
			v.done(rw)
		})).ServeHTTP(rw, r)
	})))
	return nil
}

// operation is a text that the client was just asked to confirm, or another one.
func (v *visit) operation() string {
	v.w.mu.Lock()
	var texts []string
	for _, p := range v.w.passages {
		if p.what == operations && p.by.client == v.client {
			texts = append(texts, p.key)
		}
	}
	v.w.mu.Unlock()
	if len(texts) == 0 || v.rng.IntN(4) == 0 {
		return v.w.token()
	}
	return pick(v.rng, texts[max(0, len(texts)-3):]...)
}

// transfer does what was confirmed, or asks, is told yes, and tries again.
func (v *visit) transfer(ctx context.Context, text string) step {
	p, answered := v.knock(operations, text)
	once := v.g.Once("transfer", func(*http.Request) string { return text })
	answered(v.serve(v.request(ctx, ""), v.handler(func(rw http.ResponseWriter, r *http.Request) {
		p.life = v.loaded
		once(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			p.passed = true
			v.done(rw)
		})).ServeHTTP(rw, r)
	})))
	if p.status != http.StatusUnauthorized || v.s.User() == "" {
		return nil
	}
	return func(ctx context.Context, v *visit) step {
		v.serve(v.request(ctx, ""), v.handler(func(rw http.ResponseWriter, _ *http.Request) {
			v.confirmOperations()
			v.done(rw)
		}))
		return func(ctx context.Context, v *visit) step { return v.transfer(ctx, text) }
	}
}

// confirmOperations confirms all that the session was asked about.
func (v *visit) confirmOperations() {
	user := v.s.User()
	if user == "" || v.lost {
		return
	}
	for _, op := range v.g.Asked(v.s) {
		v.did = append(v.did, "confirms "+op.Text)
		v.pendMove()
		if err := v.g.Confirm(v.s, op.ID, shown+user); err != nil {
			v.w.fault("%v: an operation that was asked about cannot be confirmed: %v", v, err)
		}
		v.pend(&fact{kind: shows})
		v.pend(&fact{kind: confirms, token: op.Text})
	}
}
