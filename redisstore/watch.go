package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
)

// channel is where the scripts announce sessions that ended. In a cluster every node passes this on to all others.
func (s *Store) channel() string { return s.prefix + "ended" }

// Watch implements [session.Watcher] with SUBSCRIBE, on a connection that the client has already. If the connection is
// lost, the client subscribes again, and the manager asks for what ended meanwhile. The error wraps
// [session.ErrNotSupported] if the user of the server may not subscribe.
func (s *Store) Watch(ctx context.Context, tell func(id string)) error {
	// From the confirmation on nothing is missed, also after the connection was lost.
	ctx = rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) { tell("") })
	err := s.client.Receive(ctx, s.client.B().Subscribe().Channel(s.channel()).Build(), func(m rueidis.PubSubMessage) {
		s.forget(m.Message) // what the client has cached is older, and may be told of later
		tell(m.Message)
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
