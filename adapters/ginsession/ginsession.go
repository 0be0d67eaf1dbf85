package ginsession

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/coatcheck/session"
)

// Use is [session.Manager.Preload] for gin: handlers after it get the session with [From]. If the session cannot be
// loaded, Options.OnError answers, and no handler after it runs. Using it twice is harmless, and several managers may
// stand one after the other.
func Use(m *session.Manager) gin.HandlerFunc {
	return func(c *gin.Context) {
		if w := again(m, c); w != nil {
			around(c, w, c.Request)
			return
		}
		reached := false
		m.Preload(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reached = true
			own := &writer{ResponseWriter: c.Writer, gate: w}
			defer func() { handBack(r, c.Request) }()
			around(c, own, r.WithContext(context.WithValue(r.Context(), writerKey{m}, own)))
		})).ServeHTTP(c.Writer, c.Request)
		if !reached {
			c.Abort()
		}
	}
}

// From returns the session of the request. It is never nil: without Use before the handler it is an empty one that is
// not stored, as [session.From] says. A copy of the context, made for a goroutine, has the same session; to store what
// is changed there after the handler has returned, call [session.Session.Save] with a context that goes on.
//
// To functions that take a context, such as [session.Manager.Load] of an outer manager, give c.Request.Context(): a
// [gin.Context] itself does not have the request's values unless Engine.ContextWithFallback is set.
func From(c *gin.Context) *session.Session { return session.From(c.Request.Context()) }

// writerKey finds the writer of a manager in the context of the request.
type writerKey struct{ m *session.Manager }

// again returns the writer that [gin.Engine.HandleContext] has taken away, so that its handlers go past nothing.
func again(m *session.Manager, c *gin.Context) *writer {
	if w, ok := c.Request.Context().Value(writerKey{m}).(*writer); ok && w.ResponseWriter == c.Writer {
		return w
	}
	return nil
}

// handBack gives a request what was made of an upload in a copy of it: the server removes the files of the request that
// it knows, and of no copy.
func handBack(r, own *http.Request) {
	if r.MultipartForm == nil && own.MultipartForm != nil {
		r.MultipartForm = own.MultipartForm
	}
}

// around calls the handlers that come next with another writer and request. Whatever comes after them, a recoverer that
// answers for them as well, has its own writer again, unless they leave one behind, by which gin then answers an
// unknown path. The request stays, so that a log outside knows the user.
func around(c *gin.Context, w gin.ResponseWriter, r *http.Request) {
	outer, returned := c.Writer, false
	defer func() {
		if !returned || c.Writer == w {
			c.Writer = outer
		}
	}()
	c.Writer, c.Request = w, r
	c.Next()
	returned = true
}
