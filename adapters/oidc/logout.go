package oidcsession

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/coatcheck/session"
)

const (
	maxBody = 64 << 10
	// within is how long each of these may take: a notice of the provider, a Login, and the last look of a Login. A
	// notice is not given up when the provider hangs up, because it may never send it again.
	within = 20 * time.Second
)

// Logout returns the handler of the back-channel logout endpoint. Register its address with the provider as
// backchannel_logout_uri. It accepts only a POST with a form that has a logout_token.
//
// The token is checked as section 2.6 of OpenID Connect Back-Channel Logout 1.0 and ASVS 10.5.5 demand, and can be used
// once on all nodes together. With a sid it ends the sessions that began with that sign-in, and if it also has a sub,
// those that the sub has begun by ID tokens without a sid; without a sid all that the sub has begun before. The reason
// is session.ReasonProvider. Sessions that people began in other ways go on.
//
// The answer is 200, even when there was nothing to end. A token that is refused gets 400 and a reason as JSON, and is
// reported as session.EventRefused. If the store or the provider's keys are out of reach, the answer is 503 with
// Retry-After, and the provider may send the same token again.
func (l *Links) Logout() http.Handler {
	// The middleware is there so that events say from where the request came.
	return l.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		ctx, cancel := noticed(r)
		defer cancel()
		text, err := logoutToken(w, r)
		if err == nil {
			err = l.logout(ctx, text)
		}
		l.reply(ctx, w, err, http.StatusOK, func(no *refusal) any {
			return map[string]string{"error": "invalid_request", "error_description": no.text}
		})
	}))
}

// noticed is the context of what a notice of the provider brings about.
func noticed(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), within)
}

func logoutToken(w http.ResponseWriter, r *http.Request) (string, error) {
	if err := takes(r, "application/x-www-form-urlencoded"); err != nil {
		return "", err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		return "", &refusal{invalidRequest, "the form must have one logout_token, and at most 64 KiB"}
	}
	return r.PostForm.Get("logout_token"), nil
}

var errMethod = errors.New("oidcsession: the method is not POST")

// takes refuses requests of another method or type.
func takes(r *http.Request, mediaType string) error {
	if r.Method != http.MethodPost {
		return errMethod
	}
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != mediaType {
		return &refusal{invalidRequest, "the Content-Type must be " + mediaType}
	}
	return nil
}

// logout does what a logout token says. The token is spent last: one whose sessions could not be ended may come again.
func (l *Links) logout(ctx context.Context, text string) error {
	t, err := l.tokens.open(ctx, text)
	if err == nil {
		err = l.checkLogout(t)
	}
	if err != nil {
		return err
	}
	ctx = session.WithActor(ctx, t.Issuer)
	if spent, err := l.spent(ctx, t.Issuer, t.jti); err != nil || spent {
		return orReplayed(err)
	}
	if err := l.end(ctx, named{t.sid, t.sub}, t.IssuedAt, session.ReasonProvider); err != nil {
		return err
	}
	first, err := l.spend(ctx, t.Issuer, t.jti, t.IssuedAt.Add(l.opts.MaxAge+3*clockSkew))
	if err != nil || !first {
		return orReplayed(err)
	}
	return nil
}

func orReplayed(err error) error {
	if err == nil {
		return errReplayed
	}
	return err
}

// reply answers a notice: with the status when it was taken, and otherwise with what body makes of the refusal.
func (l *Links) reply(ctx context.Context, w http.ResponseWriter, err error, status int, body func(*refusal) any) {
	var no *refusal
	switch {
	case err == nil:
		w.WriteHeader(status)
	case errors.Is(err, errMethod):
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
	case errors.As(err, &no):
		l.refused(ctx, no)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(body(no))
	default:
		l.refused(ctx, err)
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "try again later\n")
	}
}
