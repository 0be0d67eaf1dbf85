package guard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// Limit says how often a visitor may do something.
type Limit struct {
	// Name tells limits apart: each name has its own count, and appears in the response. "": "default". Give each limit
	// its own. A second limit by address or account with the same name must have the same numbers, or it refuses every
	// request: the one that forgives sooner would forgive what the other has counted.
	Name string

	// Requests is how many may be made in each Per, spread evenly. If either is not positive, no request that would be
	// counted passes. Each takes a whole number of microseconds, so a million per second is the most.
	Requests int
	Per      time.Duration

	// Burst is how many may be made at once by somebody who has made none for a while. 0 and below: Requests.
	Burst int

	// By says whose requests are counted together: Session, Address or Account. The zero value is Session.
	By By

	// Store keeps the counts of Address and Account, so that they hold on all nodes that share it. It has at most 1024
	// records for them, of 2 kB, however many strangers there are. The manager's own store will do, under the same
	// condition as for Users. nil: they are in the memory of this process, at most 2 MB, and each process counts by
	// itself.
	Store session.Store

	// Users is a store in which signed-in users are counted across all of their sessions. The manager's own will do,
	// unless it is a [session.Forgetter] that may forget, such as a memstore with a bound. nil: each session is counted
	// by itself, and its count ends with it.
	Users session.Store
}

// Check says what is wrong with the limit. Call it before you serve: with a wrong limit Rate refuses every request,
// including those of strangers, with the same error, which the manager's Options.OnError answers.
func (l Limit) Check() error {
	switch {
	case l.By == Session && l.Store != nil:
		return errors.New("guard: Limit.Store: it is for By: guard.Address and guard.Account; " +
			"users are counted in Users")
	case l.By.of == &byNobody:
		return errors.New("guard: Limit.By: give Account a function that returns the account of a request")
	case l.Per > 0 && l.Per < time.Millisecond:
		return fmt.Errorf("guard: Limit.Per: %v is below one millisecond; did you mean %d*time.Second?", l.Per, l.Per)
	case l.By != Session && l.Users != nil:
		return errors.New("guard: Limit.Users: it is for By: guard.Session; the others are counted in Store")
	}
	return cmp.Or(lasts("Limit.Users", l.Users), lasts("Limit.Store", l.Store))
}

// lasts says what is wrong with a store for counts.
func lasts(option string, store session.Store) error {
	if store == nil {
		return nil
	}
	if why := session.Forgets(store); why != "" {
		return fmt.Errorf("guard: %s: %T %s, and a limit that is forgotten is none; use a store that keeps "+
			"every record, such as memstore.New(memstore.Options{}) where there is one process", option, store, why)
	}
	return nil
}

// Rate limits how often a session, a user, an address or an account gets through. The rest get 429 with Retry-After.
// Every answer says what is left, in RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers has defined
// them since its version 8.
//
// The limit is exact, even if requests come at the same time on several nodes: each is admitted by a change of the
// stored session, which is repeated on conflict. That costs one save for each request that is let through, and nothing
// for the others.
//
// With cookiestore the client has the count of its session, and can send an older one again: there, count users in a
// store on the server.
//
// By: Session does not stop visitors without a stored session. They pass uncounted, however many requests they make,
// because anybody who drops the cookie is a stranger again. By: Address and By: Account count them too, in a limited
// number of records. Under a flood that fills these, those with the lowest counts are forgotten first, and newcomers
// still pass at once, but less often. Neither loads the session. For a sign-in form, see SignIn.
func (g *Guard) Rate(l Limit) func(http.Handler) http.Handler {
	if err := l.Check(); err != nil {
		return g.wrong(err)
	}
	rule := newRule(l)
	if l.By != Session {
		if err := g.claim(l, rule); err != nil {
			return g.wrong(err)
		}
		return g.rateBy(*l.By.of, rule, g.countsOf(rule.name, l.Store))
	}
	return func(next http.Handler) http.Handler {
		return g.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			if s.Token() == "" {
				next.ServeHTTP(w, r)
				return
			}
			v, err := g.take(r, s, &rule)
			if err != nil {
				g.m.Fail(w, r, err)
				return
			}
			g.pass(w, r, &rule, v, next)
		})
	}
}

// rateBy is Rate for requests that are counted by a key of their own, and not in a session.
func (g *Guard) rateBy(of func(*Guard, *http.Request) (string, Refusal), rule rule,
	in counts) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key, no := of(g, r)
			if no.Status != 0 {
				g.refuse(w, r, no)
				return
			}
			if key == "" {
				next.ServeHTTP(w, r)
				return
			}
			v, err := g.takeIn(r, in, &rule, g.place(rule.name, key))
			if err != nil {
				g.m.Fail(w, r, err)
				return
			}
			g.pass(w, r, &rule, v, next)
		})
	}
}

// pass does what the verdict says.
func (g *Guard) pass(w http.ResponseWriter, r *http.Request, rule *rule, v verdict, next http.Handler) {
	rule.tell(w.Header(), v)
	if v.ok {
		next.ServeHTTP(w, r)
		return
	}
	g.refuse(w, r, Refusal{
		Reason: TooMany, Status: http.StatusTooManyRequests,
		Text: "Too many requests. Please wait a moment.", RetryAfter: v.wait,
	})
}

// storeTimeout is how long to wait for a store that hangs, the same as around a handler.
const storeTimeout = 5 * time.Second

// bounded is a context for calls of a store that nothing but time ends: drivers close the connection of a client that
// hangs up.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

func (g *Guard) take(r *http.Request, s *session.Session, rule *rule) (verdict, error) {
	ctx, cancel := bounded(r.Context())
	defer cancel()
	if user := s.User(); rule.users != nil && user != "" {
		return rule.takeUser(ctx, user, g.m.Now)
	}
	return rule.takeSession(ctx, s, g.m.Now)
}

// rule is a limit that is ready for use. Its counts are times in microseconds: GCRA keeps no more than when the quota
// will be whole again.
type rule struct {
	policy string // the headers up to what changes
	quoted string
	key    session.Key[int64]
	name   string
	every  int64   // microseconds that one request costs
	whole  int64   // microseconds that a burst costs
	users  *ledger // nil: users are not counted
	slow   slow
}

// longest is what a burst costs at most: the microseconds of the longest time.Duration.
const longest = math.MaxInt64 / int64(time.Microsecond)

func newRule(l Limit) rule {
	if l.Name == "" {
		l.Name = "default"
	}
	if l.Burst <= 0 {
		l.Burst = l.Requests
	}
	rule := rule{name: l.Name, quoted: quoted(l.Name)}
	if l.Users != nil {
		rule.users = newLedger(l.Users)
	}
	rule.key = session.Key[int64](envelope.OwnPrefix + "rate:" + session.Path(l.Name))
	rule.policy = rule.quoted + ";q=" + integer(int64(max(l.Requests, 0))) + ";w=" + seconds(max(l.Per, 0))
	if l.Requests > 0 && l.Per > 0 {
		rule.every = max(l.Per.Microseconds()/int64(l.Requests), 1)
		rule.whole = min(int64(l.Burst), longest/rule.every) * rule.every
	}
	return rule
}

// integer is a number as structured headers can have it, in 15 digits at most.
func integer(n int64) string { return strconv.FormatInt(min(n, 999_999_999_999_999), 10) }

// quoted is a name as a string of structured headers (RFC 9651).
func quoted(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, name)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

// verdict is what a limit says to one request.
type verdict struct {
	ok    bool
	full  int64         // when the quota is whole again, by the clock, in microseconds
	until int64         // when the next one passes, if that is later than the quota says
	left  int64         // requests that would pass now
	wait  time.Duration // until one passes
	reset time.Duration // until full
}

// judge says whether a request passes, and what is to be kept then. full is what was kept, 0 for nothing. A clock that
// steps back makes nobody wait longer than a whole burst.
func (l *rule) judge(full int64, at time.Time) verdict {
	now := at.UnixMicro()
	full = min(max(full, now), now+l.whole)
	next := full + l.every
	v := verdict{ok: l.every > 0 && next <= now+l.whole, full: full}
	if v.ok {
		v.full = next
	} else {
		v.wait = micros(max(next-l.whole-now, 1))
	}
	if l.every > 0 {
		v.left = (now + l.whole - v.full) / l.every
	}
	v.reset = micros(v.full - now)
	return v
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// takeSession admits a request by a change of its session. A refusal needs no save: what others store only refuses
// more.
//
// The clock is read after the count: one that stands before the time of those who were counted would find the quota
// less whole than it was.
func (l *rule) takeSession(ctx context.Context, s *session.Session, now func() time.Time) (verdict, error) {
	v := l.judge(l.key.Or(s, 0), now())
	if !v.ok {
		return v, nil
	}
	l.key.Update(s, func(full int64) int64 {
		v = l.judge(full, now()) // the last run counts: it is the one that is stored
		return v.full
	})
	return v, s.Save(ctx)
}

// tell puts the state of the limit into the response.
func (l *rule) tell(h http.Header, v verdict) {
	h.Add("RateLimit-Policy", l.policy)
	h.Add("RateLimit", l.quoted+";r="+integer(v.left)+";t="+seconds(v.reset))
}
