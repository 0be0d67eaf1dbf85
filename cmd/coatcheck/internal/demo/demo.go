// Package demo is a small shop that shows what sessions do: it counts visits, signs people in by name, keeps a cart and
// notes, lists who is signed in where, and has a page for its staff.
//
// One file is one subject: home.go, login.go, cart.go, notes.go, sessions.go and staff.go are the pages; site.go routes
// to them, past the guards; input.go reads
// what they are sent and answer.go writes what they say. store.go and secret.go are what stays on the disk, and
// server.go is the process around it all.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// Options are what the command line says.
type Options struct {
	Addr  string // host:port; port 0 takes any that is free
	Data  string // folder of the sessions and the secret; not used by the store in memory
	Store string // SQLite, File or Memory

	// InsecureNetwork allows an Addr that other machines can reach. Tickets then travel in the clear.
	InsecureNetwork bool

	Now func() time.Time // nil: time.Now

	Out io.Writer // where it listens and what it keeps; nil: nowhere
	Err io.Writer // what goes wrong while it runs; nil: nowhere
}

// Run serves the site until the context ends, and then returns nil within a second.
func Run(ctx context.Context, opts Options) error {
	if err := opts.resolve(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", opts.Addr)
	if err != nil {
		return fmt.Errorf("--addr %s: %w; stop what listens there, or choose another port (0 takes any)", opts.Addr,
			err)
	}
	defer listener.Close() // the server has closed it, unless it never began
	logger := slog.New(slog.NewTextHandler(opts.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	site, err := open(ctx, opts, logger)
	if err != nil {
		return err
	}
	opts.announce(listener.Addr(), site.place)
	return errors.Join(serve(ctx, listener, site, logger), site.close())
}

// open opens the store and builds the site on it.
func open(ctx context.Context, opts Options, logger *slog.Logger) (*site, error) {
	place, err := openPlace(ctx, opts.Store, opts.Data)
	if err != nil {
		return nil, err
	}
	site := &site{place: place, staff: newStaff(), logger: logger}
	site.sessions, err = session.New(place.store, session.Options{
		Secrets: place.secrets,
		Cookie:  session.Cookie{Insecure: true}, // plain HTTP, on loopback unless somebody insisted
		OnError: site.fail,
		Logger:  logger,
		Now:     opts.Now,
	})
	if err != nil {
		return nil, errors.Join(err, place.close())
	}
	site.guard, err = guard.New(site.sessions, guard.Options{LoginPage: "/sign-in", Refuse: turnAway})
	if err != nil {
		return nil, errors.Join(err, site.close())
	}
	site.route()
	return site, nil
}

// close ends the sweeper before the store that it sweeps.
func (s *site) close() error { return errors.Join(s.sessions.Close(), s.place.close()) }

// resolve refuses what cannot be served, before anything is made on the disk.
func (o *Options) resolve() error {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Err == nil {
		o.Err = io.Discard
	}
	if err := checkStore(o.Store); err != nil {
		return err
	}
	if o.Data == "" && o.Store != Memory {
		return errors.New("--data is empty: name a folder, or use --store memory")
	}
	return o.checkAddr()
}

// checkAddr refuses to serve a network by accident: without HTTPS, who listens on the way can take over sessions.
func (o *Options) checkAddr() error {
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return fmt.Errorf("--addr %q is not a host:port (%w); try 127.0.0.1:8080", o.Addr, err)
	}
	if o.InsecureNetwork || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("--addr %q can be reached from other machines, and the demo speaks plain HTTP: tickets could "+
		"be stolen on the way; listen on 127.0.0.1, or say --insecure-network", o.Addr)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// announce tells a person what runs, and a script the port that was found.
func (o *Options) announce(addr net.Addr, p *place) {
	reach := "this machine only"
	if o.InsecureNetwork {
		reach = "anybody who can reach it"
	}
	fmt.Fprintf(o.Out, "Coatcheck demo: http://%s\n", addr)
	fmt.Fprintf(o.Out, "  serves    %s\n", reach)
	fmt.Fprintf(o.Out, "  sessions  %s\n", p.sessions)
	fmt.Fprintf(o.Out, "  secret    %s\n", p.secret)
	fmt.Fprintf(o.Out, "  cookie    without the Secure attribute, because this is plain HTTP; never do so on a "+
		"real site\n")
	fmt.Fprintf(o.Out, "Ctrl-C stops it; %s.\n", p.afterwards)
}
