//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/integration/servers"
)

// options are what the command line says.
type options struct {
	page, images, raw string
	rounds, sessions  int
	each              time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.page, "page", "", "the page whose measured part is written; none: it goes to standard output")
	flag.StringVar(&o.images, "images", "", "the folder of the pictures; none: no pictures")
	flag.StringVar(&o.raw, "raw", "", "the file of all measurements, for benchstat")
	flag.IntVar(&o.rounds, "rounds", 5, "how often everything is measured; the median counts")
	flag.IntVar(&o.sessions, "sessions", 100_000, "how many sessions the largest store of the curves has")
	flag.DurationVar(&o.each, "each", 100*time.Millisecond, "how long one measurement lasts")
	flag.Parse()
	log.SetFlags(log.Ltime)
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

// run measures and writes. The servers end with it, whatever happens.
func run(o options) (err error) {
	defer servers.StopAll()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	at, err := start()
	if err != nil {
		return err
	}
	raw := io.Discard
	if o.raw != "" {
		f, err := os.Create(o.raw)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		raw = f
	}
	r, err := measure(ctx, o, at, newBook(raw, o.each))
	if err != nil {
		return err
	}
	return r.write(o)
}

// start starts the servers.
func start() (at place, err error) {
	postgres, err := servers.PostgreSQL()
	if err != nil {
		return at, err
	}
	mysql, err := servers.MySQL()
	if err != nil {
		return at, err
	}
	redis, err := servers.SharedRedis()
	if err != nil {
		return at, err
	}
	at.postgres = server{postgres.Addr, postgres.DSN}
	at.mysql = server{mysql.Addr, mysql.DSN}
	at.redis = server{redis.Addr, redis.Addr}
	return at, pinServers(postgres.PID(), mysql.PID(), redis.PID())
}

// results is everything that was measured.
type results struct {
	*book
	rounds                int
	aboveRaw              map[figure]time.Duration // of the processors, for one request
	trips                 map[figure]cost
	conduct               map[figure]conduct
	keys, sessions, loads []curve
	lists, revokes        []curve
	compiled              float64 // times what a program compiles that imports net/http alone
}

func measure(ctx context.Context, o options, at place, b *book) (r *results, err error) {
	r = &results{book: b, rounds: o.rounds, aboveRaw: map[figure]time.Duration{}, trips: map[figure]cost{},
		conduct: map[figure]conduct{}}
	log.Print("compile")
	if r.compiled, err = compileTime(ctx); err != nil {
		return nil, err
	}
	sleep, err := keepAwake()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sleep()) }()
	for round := range o.rounds {
		log.Printf("round %d of %d", round+1, o.rounds)
		if err := r.round(ctx, at); err != nil {
			return nil, err
		}
	}
	if err := r.once(ctx, at); err != nil {
		return nil, err
	}
	log.Print("curves")
	if r.keys, err = byKeys(ctx, at, b); err != nil {
		return nil, err
	}
	if r.sessions, err = bySessions(ctx, at, b, o.sessions); err != nil {
		return nil, err
	}
	if r.loads, err = byClients(ctx, at, 3*o.each); err != nil {
		return nil, err
	}
	r.lists, r.revokes, err = byDevices(ctx, at, b, o.sessions)
	return r, err
}

// round measures everything once.
func (r *results) round(ctx context.Context, at place) error {
	r.floor()
	for _, store := range stores {
		if err := r.byStore(ctx, store, at); err != nil {
			return err
		}
	}
	return nil
}

// once counts what is the same each time.
func (r *results) once(ctx context.Context, at place) error {
	behind, proxies, err := through(at)
	if err != nil {
		return err
	}
	for _, l := range libraries() {
		if err := ctx.Err(); err != nil {
			return err
		}
		log.Printf("%s on %s", l, l.store)
		costs, err := trips(ctx, l, behind, proxies)
		if err != nil {
			return fmt.Errorf("%s on %s: %w", l, l.store, err)
		}
		for what, c := range costs {
			r.trips[figure{l.String(), l.store, what}] = c
		}
		if l.ours && l.note == "" && slices.Contains(besideCommands, l.store) {
			if err := r.besideRaw(ctx, l, at, r.rounds*turnsOfRound); err != nil {
				return fmt.Errorf("%s beside the raw commands: %w", l.store, err)
			}
		}
		if r.conduct[figure{l.String(), l.store, ""}], err = judge(ctx, l, at); err != nil {
			return err
		}
	}
	return nil
}
