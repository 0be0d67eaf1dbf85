package takeover

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
)

// gorillaLasts is how long gorilla's cookies are taken when no MaxAge is set.
const gorillaLasts = 30 * 24 * time.Hour

// longest is the seconds of the longest duration. A site whose cookies are to be taken for ever may say more.
const longest = math.MaxInt64 / int64(time.Second)

// Gorilla returns the sessions of a name that any store of gorilla/sessions has, made with the keys of the site. Types
// that gob decodes must be registered as before. They cannot be listed. A codec of the site's own must take each cookie
// in one spelling only, as base64.URLEncoding.Strict does, if the store keeps sessions in their cookies.
//
// An error of the store is an outage, unless it is one of securecookie, wraps fs.ErrNotExist or sql.ErrNoRows, or says
// that gob or JSON does not decode. If your store has an error of its own for a session that is gone, as one on
// memcached has, say so in Options.Gone: people with such a cookie are answered with 503 otherwise.
//
// Gorilla does not keep the time of the sign-in. If the values have it, set Old.LoginAt in Options.Change. Nor does it
// keep a MaxAge that a session was given, by "remember me" for example: all count as having that of the store. Say in
// Options.Lasts how long the longest can live, so that none of them is signed out. If the values show which ones are
// remembered, let Options.Change set Old.Deadline and Old.Persistent.
func Gorilla(store sessions.Store, name string) Source { return gorillaSource{store, name} }

type gorillaSource struct {
	store sessions.Store
	name  string
}

// Cookie asks the store for a session without a cookie, which does no I/O.
func (src gorillaSource) Cookie() (string, time.Duration) {
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		return src.name, gorillaLasts
	}
	s, _ := src.store.New(r, src.name)
	return src.name, lasts(s)
}

func lasts(s *sessions.Session) time.Duration {
	if s == nil || s.Options == nil || s.Options.MaxAge <= 0 {
		return gorillaLasts
	}
	return time.Duration(min(int64(s.Options.MaxAge), longest)) * time.Second
}

// Find loads the session, for the id of one that the store keeps is in the cookie that only the store can read. When
// the session is gone, its id still is there: it names what has taken over. A cookie that is its session has none.
func (src gorillaSource) Find(r *http.Request) (Entry, error) {
	c, err := r.Cookie(src.name)
	if err != nil {
		return Entry{}, nil
	}
	s, err := src.load(r)
	token := "gorilla id " + src.name + " " + s.ID
	switch {
	case s.ID != "":
	case errors.Is(err, errNone) || err == nil && s.IsNew:
		return Entry{}, nil
	case err != nil && !errors.Is(err, ErrUnreadable):
		return Entry{}, err
	default:
		token = "gorilla cookie " + src.name + " " + spelling(c.Value)
	}
	return Entry{
		Token: token,
		Load: func(context.Context) (*Old, error) {
			switch {
			case errors.Is(err, errNone) || err == nil && s.IsNew:
				return nil, nil
			case err != nil:
				return nil, err
			}
			return src.read(s, c.Value), nil
		},
		End: func(context.Context) error { return src.end(r, s) },
	}, nil
}

// errNone says that a cookie names no session.
var errNone = errors.New("there is no such session")

// load returns a session, empty with an error, which wraps errNone, ErrUnreadable or what else the store says.
func (src gorillaSource) load(r *http.Request) (*sessions.Session, error) {
	s, err := src.store.New(r, src.name)
	if s == nil {
		s = sessions.NewSession(src.store, src.name)
		s.IsNew = true
	}
	switch why := undecodable(err); {
	case err == nil:
		return s, nil
	case why != nil:
		return s, fmt.Errorf("%w: %w", ErrUnreadable, why)
	case isNone(err):
		return s, errNone
	}
	return s, fmt.Errorf("load the session %q: %w; if that means that it is gone, say so in Options.Gone", src.name,
		err)
}

// spelling is the one that securecookie gives a cookie. It takes others too: its base64 has bits that say nothing.
func spelling(cookie string) string {
	raw, err := base64.URLEncoding.DecodeString(cookie)
	if err != nil {
		return cookie
	}
	return base64.URLEncoding.EncodeToString(raw)
}

// isNone reports whether an error says that a cookie names no session: it is forged, too old, or of one that is gone.
func isNone(err error) bool {
	return isOfCookie(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, sql.ErrNoRows)
}

func isOfCookie(err error) bool {
	var cookie securecookie.Error
	return errors.As(err, &cookie)
}

// undecodable returns why what the store has does not decode, nil if an error does not say so. Those of securecookie
// unwrap to nothing. A forged cookie has no such cause: its signature is looked at first.
func undecodable(err error) error {
	var each securecookie.MultiError
	var cookie securecookie.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &each):
		var causes []error
		for _, one := range each {
			causes = append(causes, undecodable(one))
		}
		return errors.Join(causes...)
	case errors.As(err, &cookie):
		return undecodable(cookie.Cause())
	case isOfDecoder(err):
		return err
	}
	return nil
}

// isOfDecoder reports whether gob or JSON says it. The errors of gob have nothing but their text.
func isOfDecoder(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return strings.HasPrefix(err.Error(), "gob: ") || errors.As(err, &syntax) || errors.As(err, &kind)
}

func (src gorillaSource) read(s *sessions.Session, cookie string) *Old {
	old := &Old{Values: make(map[string]any, len(s.Values)), IdleTimeout: session.Never}
	for key, v := range s.Values {
		name, isText := key.(string)
		if !isText {
			name = fmt.Sprint(key)
		}
		if _, taken := old.Values[name]; isText || !taken {
			old.Values[name] = v
		}
	}
	if saved := savedAt(cookie); !saved.IsZero() {
		old.saved, old.Deadline = saved, saved.Add(lasts(s))
	}
	old.Persistent = s.Options != nil && s.Options.MaxAge > 0
	return old
}

// savedAt is when securecookie made a cookie that a store has accepted: the Unix time before its first bar. It is zero
// where something else made it.
func savedAt(cookie string) time.Time {
	raw, err := base64.URLEncoding.DecodeString(cookie)
	if err != nil {
		return time.Time{}
	}
	text, _, _ := strings.Cut(string(raw), "|")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// end has the store delete the session, as a handler would.
func (src gorillaSource) end(r *http.Request, s *sessions.Session) error {
	opts := sessions.Options{}
	if s.Options != nil {
		opts = *s.Options
	}
	opts.MaxAge = -1
	ended := *s
	ended.Options = &opts
	err := src.store.Save(r, discard{http.Header{}}, &ended)
	if err == nil || s.ID == "" && isOfCookie(err) { // such a cookie is the session, and nothing more can be ended
		return nil
	}
	again, loadErr := src.store.New(r, src.name)
	if loadErr == nil && again.IsNew || loadErr != nil && isNone(loadErr) {
		return nil // it is gone already
	}
	if loadErr != nil {
		err = fmt.Errorf("%w; %w", err, loadErr)
	}
	return err // which Options.Gone may know
}

func (src gorillaSource) Expire(h http.Header) {
	opts := sessions.Options{Path: "/"}
	if r, err := http.NewRequest(http.MethodGet, "/", nil); err == nil {
		if s, _ := src.store.New(r, src.name); s != nil && s.Options != nil {
			opts = *s.Options
		}
	}
	opts.MaxAge = -1
	h.Add("Set-Cookie", sessions.NewCookie(src.name, "", &opts).String())
}

// discard is a response of which nobody hears.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
