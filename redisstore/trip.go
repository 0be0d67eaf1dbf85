package redisstore

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session/internal/bounded"
)

const (
	// lostReads is how often a read is repeated whose connection was lost. The first repetition may meet a connection
	// that is just being closed, too.
	lostReads = 4

	// The store waits that long before it asks a server again that said it could not run a command now.
	firstPause, longestPause = 4 * time.Millisecond, 50 * time.Millisecond

	// patience is for how long a call does so if nobody has set a deadline, as for lists and sweeps nobody does. Once
	// it is over, each further trip of the call has only leastPatience.
	patience, leastPatience = 5 * time.Second, 50 * time.Millisecond

	// callersOwn is more patience than any caller has who sets a deadline.
	callersOwn = math.MaxInt64
)

// patienceKey is for when the patience of a call ends. It is zero until a server refuses something.
type patienceKey struct{}

// sharePatience lets all trips of a call, which makes one after the other, share one patience.
func sharePatience(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, new(time.Time))
}

// command is one of a trip: by its name, or the run of a script. All its keys lie in one slot.
type command struct {
	name   string
	script *script // nil: there is a name
	key    string
	more   []string // keys of a script
	args   []string

	// A client has several connections to one server. It takes any of them for a command that names a key, and always
	// the first for commands that name none.
	keyless bool
	ahead   func() // called when it is about to be sent for the first time; may be nil
}

func query(name, key string, args ...string) command {
	return command{name: name, key: key, args: args}
}

// build does not mark a command as one that only reads: the client would try that until the context ends, and might ask
// replicas, where sessions that have ended may still be. was is what the server has answered to it before.
func (c command) build(b rueidis.Builder, was error) rueidis.Completed {
	if c.ahead != nil && was == nil {
		c.ahead()
	}
	switch {
	case c.script == nil && c.keyless:
		return b.Arbitrary(c.name).Args(c.key).Args(c.args...).Build()
	case c.script == nil:
		return b.Arbitrary(c.name).Keys(c.key).Args(c.args...).Build()
	case judge(was) == unknown:
		return b.Eval().Script(c.script.text).Numkeys(c.numkeys()).Key(c.key).Key(c.more...).Arg(c.args...).Build()
	case c.keyless:
		n := strconv.FormatInt(c.numkeys(), 10)
		return b.Arbitrary("EVALSHA").Args(c.script.name, n, c.key).Args(c.more...).Args(c.args...).Build()
	}
	return b.Evalsha().Sha1(c.script.name).Numkeys(c.numkeys()).Key(c.key).Key(c.more...).Arg(c.args...).Build()
}

func (c command) numkeys() int64 { return int64(1 + len(c.more)) }

// read makes one query, and again if its connection was lost.
func (s *Store) read(ctx context.Context, q command) rueidis.RedisResult {
	return s.one(ctx, lostReads, q)
}

// reads makes queries in one trip, and again those whose connection was lost.
func (s *Store) reads(ctx context.Context, queries ...command) []rueidis.RedisResult {
	return s.send(ctx, lostReads, queries)
}

// run runs a script. It is not tried again after its answer was lost: the client cannot know whether it ran.
func (s *Store) run(ctx context.Context, call command) rueidis.RedisResult {
	return s.one(ctx, 0, call)
}

// runs does so with several in one trip.
func (s *Store) runs(ctx context.Context, calls ...command) []rueidis.RedisResult {
	return s.send(ctx, 0, calls)
}

// one sends one command. It is the way of every request, so what it allocates matters.
func (s *Store) one(ctx context.Context, lost int, c command) rueidis.RedisResult {
	reply := s.client.Do(ctx, c.build(s.client.B(), nil))
	if judge(reply.Error()) == stands {
		return reply
	}
	return s.insist(ctx, lost, []command{c}, []rueidis.RedisResult{reply})[0]
}

// send makes commands in one trip, to several servers at once where their keys lie apart.
func (s *Store) send(ctx context.Context, lost int, commands []command) []rueidis.RedisResult {
	batch := make([]rueidis.Completed, len(commands))
	for i, c := range commands {
		batch[i] = c.build(s.client.B(), nil)
	}
	return s.insist(ctx, lost, commands, s.client.DoMulti(ctx, batch...))
}

// insist makes further trips with those commands that did not run: the server did not know the script, or could not run
// it now, and said so, or they were never sent. Those of which nobody knows whether they ran are sent again as often as
// lost says.
func (s *Store) insist(ctx context.Context, lost int, commands []command,
	results []rueidis.RedisResult) []rueidis.RedisResult {
	todo, worst := undone(ctx, results, lost)
	if len(todo) == 0 {
		return results
	}
	waits := waiting(waiter(ctx))
	defer waits.End()
	for longest := firstPause; len(todo) > 0; longest = min(2*longest, longestPause) {
		if worst > unknown && !pause(waits, longest) {
			break
		}
		lost = left(lost, worst)
		batch := make([]rueidis.Completed, len(todo))
		for j, i := range todo {
			batch[j] = commands[i].build(s.client.B(), results[i].Error())
		}
		for j, reply := range s.client.DoMulti(ctx, batch...) {
			results[todo[j]] = reply
		}
		todo, worst = undone(ctx, results, lost)
	}
	return results
}

// waiting ends when a server is asked no more: with its parent, and where nobody has set a deadline, when the patience
// of the call is over.
func waiting(parent context.Context) *bounded.Context {
	if _, set := parent.Deadline(); set {
		return bounded.Within(parent, callersOwn)
	}
	over, shared := parent.Value(patienceKey{}).(*time.Time)
	if !shared {
		return bounded.Within(parent, patience)
	}
	if over.IsZero() {
		*over = now().Add(patience)
	}
	return bounded.Within(parent, max(over.Sub(now()), leastPatience))
}

// undone are the places of those commands that are to be sent again.
func undone(ctx context.Context, results []rueidis.RedisResult, lost int) (todo []int, worst verdict) {
	for i, r := range results {
		v := judge(r.Error())
		if v >= broken && isAnothers(ctx, r.Error()) {
			v = refused
		}
		worst = max(worst, v)
		if v == unknown || v == refused || v >= broken && lost > 0 {
			todo = append(todo, i)
		}
	}
	return todo, worst
}

// verdict says what an answer means for the command, from good to bad.
type verdict int

const (
	stands  verdict = iota // it is an answer, or will not change
	unknown                // the server does not know the script
	refused                // the server says that it has not run the command, and may do so soon
	broken                 // the connection was lost, and with it the answer
	silent                 // no answer came in time
)

func judge(err error) verdict {
	if err == nil || rueidis.IsRedisNil(err) {
		return stands
	}
	e, answered := rueidis.IsRedisErr(err)
	switch {
	case answered && e.IsNoScript():
		return unknown
	case answered && isRefusal(e.Error()), errors.Is(err, rueidis.ErrNoSlot):
		return refused
	case answered, errors.Is(err, rueidis.ErrClosing):
		return stands
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return silent
	}
	return broken
}

// isAnothers reports whether it was somebody else's context that ended, with which the client opened the connection or
// used it alone. It hands the error to everybody who waited behind him, of whom it has sent nothing.
func isAnothers(ctx context.Context, err error) bool {
	deadline, set := ctx.Deadline()
	if ctx.Err() != nil || set && !now().Before(deadline) {
		return false
	}
	var opening *net.OpError
	if errors.As(err, &opening) && opening.Op == "dial" { // its time-out may be one that the program has chosen
		return errors.Is(err, context.Canceled)
	}
	// As it is, and not wrapped: a connection may say of what was sent that its own time is over.
	return err == context.Canceled || err == context.DeadlineExceeded //nolint:errorlint // see above
}

// isRefusal reports whether the server says that it did not run a command, for a reason that passes: a slot that moves,
// a script that takes long, a start, a cluster or a replica that waits for somebody.
func isRefusal(text string) bool {
	code, _, _ := strings.Cut(text, " ")
	switch code {
	case "TRYAGAIN", "BUSY", "LOADING", "CLUSTERDOWN", "MASTERDOWN":
		return true
	}
	return false
}

// left is how often something may still be repeated. A server that was silent for as long as the client waits is asked
// once more at most: it may have been the way there, and a visitor waits.
func left(lost int, worst verdict) int {
	switch worst {
	case silent:
		return 0
	case broken:
		return max(lost-1, 0)
	}
	return lost
}

// pause waits, and reports whether there is time left.
func pause(ctx context.Context, longest time.Duration) bool {
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
