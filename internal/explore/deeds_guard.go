package explore

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/session/guard"
)

// deedsOfGuards are requests to handlers behind package guard.
func deedsOfGuards() []deed {
	return []deed{
		{name: "end the phone", ends: phone, phone: true, page: func(ctx context.Context, a *act) {
			a.post(ctx, a.g.Sessions(), `{"id":"`+a.sc.at(phone).id+`"}`)
		}},
		{name: "end others", ends: others, phone: true, page: func(ctx context.Context, a *act) {
			a.post(ctx, a.g.Sessions(), `{"others":true}`)
		}},
		{name: "list and end others", ends: others, phone: true, page: listAndEnd},
		{name: "limited", page: func(ctx context.Context, a *act) {
			a.get(ctx, a.limited(guard.Limit{}))
		}},
		{name: "limited user", page: func(ctx context.Context, a *act) {
			a.get(ctx, a.limited(guard.Limit{Name: "user", Users: a.store}))
		}},
		{name: "show a form", page: func(ctx context.Context, a *act) {
			a.get(ctx, a.g.CSRF(a.noting(func(r *http.Request) { a.form = guard.CSRFToken(r) })))
		}},
		{name: "send a form", page: func(ctx context.Context, a *act) {
			a.sendForm(ctx, a.sc.form)
		}},
	}
}

// perHour is how many requests pass a limit in a scene, which takes no time.
const perHour = 1

func (a *act) limited(l guard.Limit) http.Handler {
	l.Requests, l.Per = perHour, time.Hour
	return a.g.Rate(l)(a.noting(func(*http.Request) { a.passed = true }))
}

// listAndEnd ends what the page of devices shows, but for the own session.
func listAndEnd(ctx context.Context, a *act) {
	var shown struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	w := a.get(ctx, a.g.Sessions())
	if w.Code != http.StatusOK {
		return
	}
	if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil {
		a.err = err
		return
	}
	for _, s := range shown.Sessions {
		if !s.Current && a.status == http.StatusOK {
			a.post(ctx, a.g.Sessions(), `{"id":"`+s.ID+`"}`)
		}
	}
}

func (a *act) post(ctx context.Context, h http.Handler, body string) {
	r := a.request(ctx, "POST", body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	a.serve(h, r)
}

// sendForm sends a form with a token, as an old browser does, which does not say where the form is from.
func (a *act) sendForm(ctx context.Context, token string) {
	r := a.request(ctx, "POST", "")
	r.Header.Set(guard.CSRFHeader, token)
	a.serve(a.g.CSRF(a.noting(func(*http.Request) {})), r)
}

// showForm shows the desk a form before the requests meet, if one of them is about forms.
func (sc *scene) showForm() error {
	if !sc.any(func(a *act) bool { return strings.HasSuffix(a.name, "a form") }) {
		return nil
	}
	a := act{sc: sc, node: sc.nodes[0], status: http.StatusOK, cookie: sc.at(desk).ticket}
	a.get(context.Background(), a.g.CSRF(a.noting(func(r *http.Request) { sc.form = guard.CSRFToken(r) })))
	if sc.form == "" {
		return errNoForm
	}
	return nil
}

var errNoForm = errors.New("explore: a page shows no form")
