package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
)

// channel is where the scripts announce sessions that ended. In a cluster every node passes this on to all others.
func (s *Store) channel() string { return s.prefix + "ended" }

// Watch implements [session.Watcher] with SUBSCRIBE, on a connection that the client has already. If the connection is
// lost, the client subscribes again, and the manager asks for what ended meanwhile. The error wraps
// [session.ErrNotSupported] if the user of the server may not subscribe.
func (s *Store) Watch(ctx context.Context, tell func(id string)) error {
	news := newNews()
	var telling sync.WaitGroup
	telling.Go(func() { news.each(tell) })
	defer telling.Wait()
	defer news.end()
	// From the confirmation on nothing is missed, also after the connection was lost.
	ctx = rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) { news.add("") })
	err := s.client.Receive(ctx, s.client.B().Subscribe().Channel(s.channel()).Build(), func(m rueidis.PubSubMessage) {
		s.forget(m.Message) // what the client has cached is older, and may be told of later
		news.add(m.Message)
	})
	switch {
	case err == nil:
		err = errors.New("the subscription ended")
	case isForbidden(err):
		err = fmt.Errorf("%w: the user of the server needs +subscribe and &%s: %w", session.ErrNotSupported,
			s.channel(), err)
	}
	return explain("watch", err)
}

func isForbidden(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasPrefix(e.Error(), "NOPERM")
}

// unheard is how many sessions wait to be told of at most. When there are more, whoever waits asks instead.
const unheard = 10_000

// news is what is still to be told. While a message waits to be heard the client reads nothing from its connection,
// over which the records come, too: whoever is told may ask for one.
type news struct {
	mu    sync.Mutex
	some  *sync.Cond
	ids   []string
	ended bool
}

func newNews() *news {
	n := &news{}
	n.some = sync.NewCond(&n.mu)
	return n
}

func (n *news) add(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.ids) >= unheard {
		n.ids, id = nil, ""
	}
	n.ids = append(n.ids, id)
	n.some.Signal()
}

func (n *news) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	n.some.Signal()
}

// each tells of one after the other, until the end.
func (n *news) each(tell func(id string)) {
	for {
		ids, ended := n.next()
		if ended {
			return
		}
		for _, id := range ids {
			tell(id)
		}
	}
}

func (n *news) next() (ids []string, ended bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.ids) == 0 && !n.ended {
		n.some.Wait()
	}
	ids, n.ids = n.ids, nil
	return ids, n.ended
}
