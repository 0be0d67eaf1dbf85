package shop

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"github.com/coatcheck/session"
)

const MaxNotes = maxNotes

var KeepSecret = keepSecret

// Sessions is the manager of a site.
func (s *Site) Sessions() *session.Manager { return s.sessions }

// Serve serves any handler as Run serves the site.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	return serve(ctx, listener, handler, slog.New(slog.DiscardHandler))
}
