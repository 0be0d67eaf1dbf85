package experiment

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
)

// usual keeps sessions the way most libraries do: the whole session is one blob, read when a request begins and written
// when it ends. The last write wins, and a write of what is gone makes it again.
type usual struct {
	store   trace.Backend
	release atomic.Int32 // of the program: 2 has another type for the cart
}

// blob is all that a session holds.
type blob struct {
	User   string          `json:"user,omitempty"`
	Clicks int             `json:"clicks,omitempty"`
	Page   string          `json:"page,omitempty"`
	Cart   json.RawMessage `json:"cart,omitempty"`
}

func (u *usual) serve(w http.ResponseWriter, r *http.Request, p page) {
	ctx := r.Context()
	v := &blobVisit{}
	v.blob, v.came = u.load(r)
	v.id = v.came
	trace.From(ctx).Follow(func() string { return v.id })
	says := p(v)
	u.finish(ctx, w, v)
	answer(w, says)
}

// load takes an error for an absent session, as "session, _ := store.Get(r, name)" does.
func (u *usual) load(r *http.Request) (blob, string) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return blob{}, ""
	}
	rec, err := u.store.Load(r.Context(), c.Value)
	if err != nil {
		return blob{}, ""
	}
	var b blob
	if err := json.Unmarshal(rec.Data, &b); err != nil || !u.reads(b.Cart) {
		return blob{}, "" // a blob decodes whole or not at all
	}
	return b, rec.ID
}

// reads reports whether the type that this release has for the cart takes the value.
func (u *usual) reads(cart json.RawMessage) bool {
	if cart == nil {
		return true
	}
	if u.release.Load() == 2 {
		return json.Unmarshal(cart, new([]line)) == nil
	}
	return json.Unmarshal(cart, new(counts)) == nil
}

// finish writes the blob, whatever happened meanwhile, and sends the cookie.
func (u *usual) finish(ctx context.Context, w http.ResponseWriter, v *blobVisit) {
	if v.ended {
		_ = u.store.Delete(ctx, v.came) // nobody looks at this error
		v.id = ""
		http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1})
		return
	}
	if !v.changed {
		return
	}
	if v.id == "" || v.renewed {
		v.id = rand.Text()
	}
	if v.renewed {
		_ = u.store.Delete(ctx, v.came)
	}
	data, err := json.Marshal(v.blob)
	if err == nil {
		err = u.upsert(ctx, &session.Record{ID: v.id, Data: data, ExpiresAt: time.Now().Add(time.Hour)})
	}
	if err == nil {
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: v.id, Path: "/", HttpOnly: true})
	}
}

// upsert replaces whatever is there. The stores of this library refuse to do that, so the version is asked for until it
// is the right one; what would be one call to another store is noted as one.
func (u *usual) upsert(ctx context.Context, rec *session.Record) error {
	for {
		now, err := u.store.Load(untraced{ctx}, rec.ID)
		switch {
		case err == nil:
			rec.Version = now.Version
		case errors.Is(err, session.ErrNotFound):
			rec.Version = 0
		}
		if err == nil || rec.Version == 0 && errors.Is(err, session.ErrNotFound) {
			err = u.store.Save(untraced{ctx}, rec)
		}
		if errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNotFound) {
			continue
		}
		trace.From(ctx).Note("upsert", rec.Version+1, err)
		return err
	}
}

// untraced is a context whose calls are not noted.
type untraced struct{ context.Context }

func (untraced) Value(any) any { return nil }

// blobVisit is a request with a blob, which is written when it was changed.
type blobVisit struct {
	blob
	came, id                string
	changed, ended, renewed bool
}

func (v *blobVisit) user() string       { return v.User }
func (v *blobVisit) signIn(name string) { v.User, v.changed, v.renewed = name, true, v.came != "" }
func (v *blobVisit) signOut()           { v.ended = true }
func (v *blobVisit) renew()             { v.changed, v.renewed = true, true }
func (v *blobVisit) clicks() int        { return v.Clicks }
func (v *blobVisit) click()             { v.Clicks, v.changed = v.Clicks+1, true }
func (v *blobVisit) read(title string)  { v.Page, v.changed = title, true }

func (v *blobVisit) fill(c counts) {
	v.Cart, _ = json.Marshal(c) // a map of numbers encodes
	v.changed = true
}

func (v *blobVisit) cart() string {
	if v.Cart == nil {
		return "an empty cart"
	}
	return "the cart"
}

// A store of blobs finds a session by its id and by nothing else.
func (v *blobVisit) devices() ([]string, error) { return nil, errCannot }
func (v *blobVisit) endDevice(string) error     { return errCannot }
