package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/load"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func newBench() *cobra.Command {
	opts := load.Options{Clients: 16, Sessions: 1000, Size: 400, Writes: 20, Duration: 10 * time.Second}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Put load on the store and measure it",
		Long: `Put load on the store of the configuration and measure it: create anonymous sessions, read and
change them from many clients at once for a while, and remove them. For each kind of operation it
prints how many there were per second and how long they took. A read opens a session by its
ticket; a write also changes and saves it. That is what a request costs a site, apart from HTTP.
The site may use the store meanwhile; it will be slower for visitors. If a run is killed, the
sessions it leaves behind end after an hour.`,
		Example: "  coatcheck bench\n  coatcheck bench --clients 64 --writes 50 --duration 30s --json",
		Args:    noArguments,
	}
	flags := cmd.Flags()
	flags.IntVar(&opts.Clients, "clients", opts.Clients, "how many clients make requests at the same time")
	flags.IntVar(&opts.Sessions, "sessions", opts.Sessions, "how many sessions there are; at least one for each client")
	flags.IntVar(&opts.Size, "size", opts.Size, "bytes of data in each session")
	flags.IntVar(&opts.Writes, "writes", opts.Writes, "the percentage of requests that change their session")
	flags.DurationVar(&opts.Duration, "duration", opts.Duration, "how long the clients read and write")
	return command(cmd, func(ctx context.Context, t *tool, _ []string) error {
		if err := checkLoad(opts); err != nil {
			return err
		}
		return bench(ctx, t, opts)
	})
}

func checkLoad(opts load.Options) error {
	var wrong mistakes
	wrong.atLeast("clients", opts.Clients, 1)
	wrong.atLeast("sessions", opts.Sessions, 1)
	if opts.Sessions >= 1 && opts.Sessions < opts.Clients {
		wrong.add("sessions", opts.Sessions, fmt.Sprintf("is too low; use one for each of the %d --clients, or more",
			opts.Clients))
	}
	wrong.atLeast("size", opts.Size, 0)
	wrong.within("writes", opts.Writes, 0, 100)
	if opts.Duration <= 0 {
		wrong.add("duration", opts.Duration, "is too short; use 1ms or more")
	}
	return wrong.err()
}

func bench(ctx context.Context, t *tool, opts load.Options) error {
	cfg, err := t.config()
	if err != nil {
		return err
	}
	s, err := open(ctx, cfg, true)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.lister(); err != nil { // it could not end sessions either
		return err
	}
	bar := output.NewProgress(t.Err, "operations", -1)
	opts.Step = bar.Step
	report, err := load.Run(ctx, s.Manager, opts)
	bar.Done()
	if err != nil {
		return fmt.Errorf("load on the store %s: %w", s.cfg.Store, err)
	}
	return t.Value(report, func(w io.Writer) { benchText(w, report) })
}

func benchText(w io.Writer, r *load.Report) {
	fmt.Fprintf(w, "%s, %s of %s\n\n", output.Count(r.Clients, "client"), output.Count(r.Sessions, "session"),
		output.Bytes(r.Size))
	rows := make([][]string, len(r.Operations))
	for i, o := range r.Operations {
		rows[i] = []string{o.Kind, fmt.Sprint(o.Count), fmt.Sprintf("%.0f", o.PerSecond), short(o.Median), short(o.P99),
			short(o.P999), short(o.Max)}
	}
	output.Table(w, output.Heads("OPERATION", "COUNT", "PER SECOND", "MEDIAN", "99 %", "99.9 %", "LONGEST"), rows)
	for _, o := range r.Operations {
		fmt.Fprintf(w, "\n%s took less than\n", o.Kind)
		labels, values := make([]string, len(o.Histogram)), make([]int, len(o.Histogram))
		for i, b := range o.Histogram {
			labels[i], values[i] = short(b.Below), int(b.Count)
		}
		output.Bars(w, labels, values)
	}
}

// short writes a time with three digits or so.
func short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}
