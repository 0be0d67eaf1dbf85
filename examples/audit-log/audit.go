package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/netip"

	"github.com/coatcheck/session"
)

// The numbers of the Open Cybersecurity Schema Framework, class Authentication.
const (
	schema   = "1.3.0"
	category = 3 // Identity & Access Management
	class    = 3002

	logon, logoff, otherActivity = 1, 2, 99
	informational, low, high     = 1, 2, 4
	success, failure             = 1, 2

	service = "shop"
	vendor  = "Example Inc."
)

// audit writes a line for each sign-in, and for each session of somebody that ended.
type audit struct{ log *slog.Logger }

// newAudit writes JSON. Of what slog adds by itself the schema wants the time in milliseconds, and another name for the
// text.
func newAudit(w io.Writer) audit {
	rename := func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case a.Key == slog.TimeKey:
			return slog.Int64("time", a.Value.Time().UnixMilli())
		case a.Key == slog.LevelKey:
			return slog.Attr{} // severity_id says it
		case a.Key == slog.MessageKey:
			a.Key = "message"
		}
		return a
	}
	return audit{slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: rename}))}
}

// entry is what lines differ in.
type entry struct {
	activity, severity, status int
	text                       string
	user, session, actor, why  string
	from                       netip.Addr
}

// signIn is told by the page that checks passwords: no event says that one was wrong. A name that nobody has is left
// out, because people type their password into the wrong field.
func (a audit) signIn(ctx context.Context, s *session.Session, user string, from netip.Addr, err error) {
	e := entry{activity: logon, severity: informational, status: success, text: "signed in", user: user,
		session: s.ID(), from: from}
	if err != nil {
		e.severity, e.status, e.text, e.session, e.why = low, failure, "not signed in", "", err.Error()
	}
	a.write(ctx, e)
}

// event is for session.Options.OnEvent. Sessions of nobody are left out.
func (a audit) event(ctx context.Context, e session.Event) {
	line := entry{user: e.User, session: e.ID, actor: e.Actor, why: string(e.Reason), from: e.RemoteIP}
	switch {
	case e.User == "":
		return
	case e.Kind == session.EventEnded || e.Kind == session.EventEvicted:
		line.activity, line.severity, line.status, line.text = logoff, informational, success, "signed out"
	case e.Kind == session.EventReused:
		line.activity, line.severity, line.status, line.text = otherActivity, high, failure,
			"a ticket came after its time: perhaps from a thief"
	default:
		return
	}
	a.write(ctx, line)
}

func (a audit) write(ctx context.Context, e entry) {
	attrs := []slog.Attr{
		slog.Int("category_uid", category),
		slog.Int("class_uid", class),
		slog.Int("activity_id", e.activity),
		slog.Int("type_uid", class*100+e.activity),
		slog.Int("severity_id", e.severity),
		slog.Int("status_id", e.status),
		slog.Group("metadata", slog.String("version", schema),
			slog.Group("product", slog.String("name", service), slog.String("vendor_name", vendor))),
		slog.Group("service", slog.String("name", service)),
		slog.Group("user", slog.String("name", cmp.Or(e.user, "unknown"))),
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, e.text, append(attrs, e.known()...)...)
}

// known is what is there only sometimes.
func (e entry) known() (attrs []slog.Attr) {
	if e.session != "" {
		attrs = append(attrs, slog.Group("session", slog.String("uid", e.session)))
	}
	if e.why != "" {
		attrs = append(attrs, slog.String("status_detail", e.why))
	}
	if e.actor != "" {
		attrs = append(attrs, slog.Group("actor", slog.Group("user", slog.String("name", e.actor))))
	}
	if e.from.IsValid() {
		attrs = append(attrs, slog.Group("src_endpoint", slog.String("ip", e.from.String())))
	}
	return attrs
}
