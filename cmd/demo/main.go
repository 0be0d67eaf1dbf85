// Command demo serves seven experiments on sessions, and a small shop to click through:
//
//	go run ./cmd/demo
//
// It links no driver. "coatcheck demo" serves the same pages on every store.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/coatcheck/session/cmd/demo/shop"
)

func main() {
	opts, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}
	if err := run(opts); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(opts shop.Options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// From the first signal on, a second one ends the process at once.
	defer context.AfterFunc(ctx, stop)()
	opts.Out, opts.Err = os.Stdout, os.Stderr
	return shop.Run(ctx, opts)
}

func parse(args []string) (opts shop.Options, err error) {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	store := flags.String("store", "file", "where to keep sessions: file or memory; coatcheck demo has all the others")
	data := flags.String("data", "coatcheck-data", "folder of the sessions and the secret, made when absent")
	flags.StringVar(&opts.Addr, "addr", "127.0.0.1:8080", "where to listen; port 0 takes any that is free")
	flags.BoolVar(&opts.InsecureNetwork, "insecure-network", false,
		"allow an -addr that others can reach: the tickets travel in the clear")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if flags.NArg() > 0 {
		return opts, fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	}
	switch *store {
	case "file":
		opts.Open = func(context.Context) (*shop.Place, error) { return shop.Files(*data) }
	case "memory":
		opts.Open = func(context.Context) (*shop.Place, error) { return shop.Memory(), nil }
	default:
		return opts, fmt.Errorf("-store %q: choose file or memory; coatcheck demo has all the others", *store)
	}
	return opts, nil
}
