// Package gincontrib is package gorillastore for sites that use gin-contrib/sessions. The line that makes the store is
// all that changes:
//
//	store, err := gincontrib.New(manager, gorillastore.Options{})
//	engine.Use(sessions.Sessions("mysession", store))
//
//	s := gincontrib.Of(sessions.Default(c)) // for what gin-contrib does not have
//
// gin-contrib only logs that a session could not be loaded, and goes on with an empty one. Its Save fails, and the
// cookie stays, but a page that only reads would show people as signed out. So let a middleware after that of
// gin-contrib answer an outage:
//
//	engine.Use(func(c *gin.Context) {
//		if err := gincontrib.Of(sessions.Default(c)).Err(); errors.Is(err, session.ErrUnavailable) {
//			c.AbortWithStatus(http.StatusServiceUnavailable)
//		}
//	})
//
// With Options.Name of gorillastore, ginsession.Use comes before sessions.Sessions, which keeps the request that it
// gets.
package gincontrib

import (
	"github.com/gin-contrib/sessions"
	gorilla "github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

// Store is a [gorillastore.Store] that gin-contrib/sessions takes.
type Store struct{ *gorillastore.Store }

var _ sessions.Store = Store{}

// New returns a store on a manager, which the caller closes.
func New(m *session.Manager, opts gorillastore.Options) (Store, error) {
	st, err := gorillastore.New(m, opts)
	return Store{st}, err
}

// Options sets what new sessions have. Call it before the first request.
func (st Store) Options(opts sessions.Options) { st.Store.Options = opts.ToGorillaOptions() }

// Of returns the session of the manager that is behind one of gin-contrib, as [gorillastore.Of] does.
func Of(s sessions.Session) *session.Session {
	behind, _ := s.(interface{ Session() *gorilla.Session })
	if behind == nil {
		return gorillastore.Of(nil)
	}
	return gorillastore.Of(behind.Session())
}
