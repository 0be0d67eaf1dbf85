package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

const (
	// lostReads is how often a read is repeated whose connection was lost. The first repetition may meet a connection
	// that is just being closed, too.
	lostReads = 4

	// The store waits that long before it asks a server again that said it could not run a command now.
	firstPause, longestPause = 4 * time.Millisecond, 50 * time.Millisecond
)

// command is what a trip consists of. was is the answer of the server to it before, if there was one.
type command interface {
	build(b rueidis.Builder, was error) rueidis.Completed
}

// query is a command by its name.
type query struct {
	name, key string
	args      []string
}

// build does not mark a command as one that only reads: the client would try that until the context ends, and might ask
// replicas, where sessions that have ended may still be.
func (q query) build(b rueidis.Builder, _ error) rueidis.Completed {
	return b.Arbitrary(q.name).Keys(q.key).Args(q.args...).Build()
}

// read makes one query. It is the way of every request, so what it allocates matters.
func (s *Store) read(ctx context.Context, q query) rueidis.RedisResult {
	reply := s.client.Do(ctx, q.build(s.client.B(), nil))
	v := judge(reply.Error())
	if v == stands || ctx.Err() != nil {
		return reply
	}
	return send(ctx, s.client, left(lostReads, v), []query{q})[0]
}

// reads makes queries in one trip, and again those whose connection was lost.
func (s *Store) reads(ctx context.Context, queries ...query) []rueidis.RedisResult {
	return send(ctx, s.client, lostReads, queries)
}

// send makes commands in one trip, to several servers at once where their keys lie apart, and in further ones those
// that did not run: the server did not know the script, or could not run it now, and said so. Those of which nobody
// knows whether they ran are sent again as often as lost says.
func send[C command](ctx context.Context, client rueidis.Client, lost int, commands []C) []rueidis.RedisResult {
	results := make([]rueidis.RedisResult, len(commands))
	todo := make([]int, len(commands))
	for i := range todo {
		todo[i] = i
	}
	for longest := firstPause; ; longest = min(2*longest, longestPause) {
		batch := make([]rueidis.Completed, len(todo))
		for j, i := range todo {
			batch[j] = commands[i].build(client.B(), results[i].Error())
		}
		for j, reply := range client.DoMulti(ctx, batch...) {
			results[todo[j]] = reply
		}
		worst := stands
		todo = slices.DeleteFunc(todo, func(i int) bool {
			v := judge(results[i].Error())
			worst = max(worst, v)
			return v == stands || v >= broken && lost == 0
		})
		if len(todo) == 0 || worst > unknown && !pause(ctx, longest) {
			return results
		}
		lost = left(lost, worst)
	}
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
