// Package redis lets a configuration name the store redis, which is for Valkey too. Import it for that:
//
//	import _ "github.com/coatcheck/session/sessionconfig/redis"
//
// The client is [github.com/redis/rueidis]. [Open] gives it to programs that need Redis for more than sessions.
package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sessionconfig"
	"github.com/coatcheck/session/sessionconfig/internal/driver"
)

func init() {
	driver.RegisterServer(driver.Redis, driver.Server{Connect: connect, Store: store})
}

// Open connects to the server of the store redis, whatever store the configuration has chosen. Close the client when
// you are done.
func Open(ctx context.Context, cfg *sessionconfig.Config) (rueidis.Client, error) {
	client, err := cfg.OpenRedis(ctx)
	if err != nil {
		return nil, err
	}
	return client.(rueidis.Client), nil
}

func connect(dsn string, cache bool) (driver.Client, error) {
	opts, err := options(dsn)
	if err != nil {
		return nil, err
	}
	opts.DisableCache = !cache
	client, err := rueidis.NewClient(opts)
	if cache && errors.Is(err, rueidis.ErrNoCache) {
		return nil, withoutCache(err)
	}
	if err != nil {
		return nil, err
	}
	return client, nil
}

var errNoCache = errors.New("the server does not say what has changed, so nothing can be cached: " +
	"leave stores.redis.cache_ttl out, or use Redis 6 or newer, without protocol=2 in the dsn")

// withoutCache says what to change in the configuration, where the client names an option of its own. What the server
// has said comes first in the client's error, in a line of its own.
func withoutCache(err error) error {
	said, _, found := strings.Cut(err.Error(), "\n")
	if !found {
		return errNoCache
	}
	return fmt.Errorf("%w: %s", errNoCache, said)
}

func store(client driver.Client, prefix string, cacheTTL time.Duration) (session.Store, error) {
	made, err := redisstore.New(client.(rueidis.Client), redisstore.Options{Prefix: prefix, CacheTTL: cacheTTL})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// askSentinel is how often Sentinel is asked which server is the primary. Its own message at a failover may be missed.
const askSentinel = 5 * time.Second

func options(dsn string) (rueidis.ClientOption, error) {
	opts, err := rueidis.ParseURL(strings.TrimSpace(dsn))
	if err != nil {
		return opts, fmt.Errorf("%w: write it as redis://user:password@host:6379/0", driver.ErrDSN)
	}
	if opts.Sentinel.MasterSet != "" {
		opts.Sentinel.TopologyRefreshInterval = askSentinel
	}
	return opts, nil
}
