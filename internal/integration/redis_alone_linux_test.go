package integration_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// counted is a client that counts its calls, and those that begin while another one is under way.
type counted struct {
	rueidis.Client
	all, underWay, met atomic.Int64
}

func (c *counted) begun() (end func()) {
	c.all.Add(1)
	if c.underWay.Add(1) > 1 {
		c.met.Add(1)
	}
	return func() { c.underWay.Add(-1) }
}

func (c *counted) Do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult {
	defer c.begun()()
	return c.Client.Do(ctx, cmd)
}

func (c *counted) DoMulti(ctx context.Context, cmds ...rueidis.Completed) []rueidis.RedisResult {
	defer c.begun()()
	return c.Client.DoMulti(ctx, cmds...)
}

func (c *counted) Receive(ctx context.Context, sub rueidis.Completed, fn func(rueidis.PubSubMessage)) error {
	defer c.begun()()
	return c.Client.Receive(ctx, sub, fn)
}

// The client sends faster until two calls have overlapped, and then never again on that connection. Where nobody else
// is there, nothing of ours may be what a request overlaps with.
func TestOneVisitorAtATimeIsOneCallOfRedisAtATime(t *testing.T) {
	client := &counted{Client: redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})}
	store := redisStore(t, client, redisstore.Options{Prefix: newPrefix()})
	v := newVictim(t, store, func(o *session.Options) { o.SweepEvery = 0 })
	const visitors = 20
	for range visitors {
		b := v.guest()
		b.visit(func(s *session.Session) { s.Set("cart", "full") })
		b.visit(look)
		b.visit(login)
		b.visit((*session.Session).Logout)
	}
	if all, met := client.all.Load(), client.met.Load(); all < 4*visitors || met > 0 {
		t.Errorf("%d of %d calls began while another one was under way, want none", met, all)
	}
}
