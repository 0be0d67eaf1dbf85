// Command scale fills a store with many sessions, measures what it does while it is swept, and writes the result into
// the tables of docs/operations.md. It starts the server that it needs, and removes it afterwards.
//
//	go run ./scale -store redis -page ../../docs/operations.md
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coatcheck/session/internal/integration/servers"
)

// config says what is measured.
type config struct {
	store    string
	sessions int
	rounds   int           // in each the server is idle for a while, and then sweeps
	idle     time.Duration // at least
	page     string        // the file with the tables; "": none
	progress io.Writer
}

func main() {
	c := config{idle: time.Second, progress: os.Stderr}
	flag.StringVar(&c.store, "store", "", "the store: "+names())
	flag.IntVar(&c.sessions, "sessions", 1_000_000, "how many sessions it has; a tenth of them expire")
	flag.IntVar(&c.rounds, "rounds", 5, "how often the idle server and the one that is swept take turns")
	flag.StringVar(&c.page, "page", "", "the page whose tables are to be brought up to date")
	flag.Parse()
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(c config) error {
	defer servers.StopAll()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b, err := open(ctx, c.store)
	if err != nil {
		return err
	}
	defer b.Close() // after the page is written, for to remove a million files takes a while
	r, err := measure(ctx, b, c)
	if err != nil {
		return err
	}
	for _, t := range tables {
		fmt.Fprintf(os.Stdout, "%s\n%s\n", t.head, t.row(r))
	}
	if c.page == "" {
		return nil
	}
	return update(c.page, r)
}
