// Package shop is the demo: seven experiments that show what the library promises, beside the usual way of doing it,
// and a small shop to click through, with sign-in by name, a cart, notes, the devices of a user and a page for the
// staff. It knows no driver: the program that serves it chooses where the sessions are kept.
//
// Each file has one subject: home.go, experiments.go, goods.go, login.go, cart.go, notes.go, devices.go and staff.go
// are the pages. site.go routes to them past the guards, input.go reads what they are sent, answer.go writes what they
// say, and strip.go what they cost. place.go and secret.go are what stays on the disk, and server.go is the process
// around it all.
package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/guard"
)

// Options are what the command line says.
type Options struct {
	Addr string                                // host:port; port 0 takes any that is free
	Open func(context.Context) (*Place, error) // opens the place of the sessions, once Addr is known to be good

	// InsecureNetwork allows an Addr that other machines can reach. Tickets then travel in the clear.
	InsecureNetwork bool

	Now func() time.Time // nil: time.Now

	Out io.Writer // where it listens and what it keeps; nil: nowhere
	Err io.Writer // what goes wrong while it runs; nil: nowhere
}

// Run serves the site until the context ends, and then returns nil within a second.
func Run(ctx context.Context, opts Options) error {
	opts.resolve()
	if err := opts.checkAddr(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", opts.Addr)
	if err != nil {
		return fmt.Errorf("--addr %s: %w; stop what listens there, or choose another port (0 takes any)", opts.Addr,
			err)
	}
	defer listener.Close() // the server has closed it, unless it never began
	place, err := opts.Open(ctx)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(opts.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	site, err := New(place, logger, opts.Now)
	if err != nil {
		return err
	}
	opts.announce(listener.Addr(), place)
	return errors.Join(serve(ctx, listener, site, logger), site.Close())
}

// cookieName is that of the ticket.
const cookieName = "session"

// Site is the web site. It is safe for concurrent use, and its Close closes the place too.
type Site struct {
	place    *Place
	sessions *session.Manager
	guard    *guard.Guard
	staff    *staff
	logger   *slog.Logger
	handler  http.Handler
	trying   chan struct{} // full while an experiment runs
}

// New builds the site on a place, which is closed when it cannot. now nil is time.Now.
func New(place *Place, logger *slog.Logger, now func() time.Time) (*Site, error) {
	site := &Site{place: place, staff: newStaff(), logger: logger, trying: make(chan struct{}, 1)}
	var err error
	site.sessions, err = session.New(trace.Watch(place.Store), session.Options{
		Secrets: place.Secrets,
		Cookie:  session.Cookie{Name: cookieName, Insecure: true}, // plain HTTP, on loopback unless somebody insisted
		OnError: site.fail,
		Logger:  logger,
		Now:     now,
	})
	if err != nil {
		return nil, errors.Join(err, place.close())
	}
	site.guard, err = guard.New(site.sessions, guard.Options{
		LoginPage: "/sign-in", Refuse: site.turnAway, Place: placeOf, ShowSessions: site.showDevices,
	})
	if err != nil {
		return nil, errors.Join(err, site.Close())
	}
	site.route()
	return site, nil
}

// Close ends the sweeper before the store that it sweeps.
func (s *Site) Close() error { return errors.Join(s.sessions.Close(), s.place.close()) }

func (p *Place) close() error {
	if p.Close == nil {
		return nil
	}
	return p.Close()
}

func (o *Options) resolve() {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Err == nil {
		o.Err = io.Discard
	}
}

// checkAddr refuses to serve a network by accident: without HTTPS, anybody who listens on the way can take over
// sessions.
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
func (o *Options) announce(addr net.Addr, p *Place) {
	reach := "this machine only"
	if o.InsecureNetwork {
		reach = "anybody who can reach it"
	}
	fmt.Fprintf(o.Out, "Coatcheck demo: http://%s\n", addr)
	fmt.Fprintf(o.Out, "  serves    %s\n", reach)
	fmt.Fprintf(o.Out, "  sessions  %s\n", p.Sessions)
	fmt.Fprintf(o.Out, "  secret    %s\n", p.Secret)
	fmt.Fprintf(o.Out, "  cookie    without the Secure attribute, because this is plain HTTP; never do this on a "+
		"real site\n")
	fmt.Fprintf(o.Out, "Press Ctrl-C to stop it; %s.\n", p.Afterwards)
}
