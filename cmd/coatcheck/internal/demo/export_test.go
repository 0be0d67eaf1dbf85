package demo

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"github.com/coatcheck/session"
)

const MaxNotes = maxNotes

var KeepSecret = keepSecret

// Browser is what the list of sessions says of a user agent.
func Browser(userAgent string) string { return entryOf(session.Info{UserAgent: userAgent}, "").Browser }

// Open opens the site without a server around it.
func Open(ctx context.Context, opts Options) (http.Handler, *session.Manager, func() error, error) {
	if err := opts.resolve(); err != nil {
		return nil, nil, nil, err
	}
	site, err := open(ctx, opts, slog.New(slog.NewTextHandler(opts.Err, nil)))
	if err != nil {
		return nil, nil, nil, err
	}
	return site, site.sessions, site.close, nil
}

// Serve serves any handler as Run serves the site.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	return serve(ctx, listener, handler, slog.New(slog.DiscardHandler))
}
