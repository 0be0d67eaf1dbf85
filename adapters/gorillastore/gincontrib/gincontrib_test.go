package gincontrib_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/tester"
	"github.com/gin-gonic/gin"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
	"github.com/coatcheck/session/adapters/gorillastore/gincontrib"
	"github.com/coatcheck/session/memstore"
)

func init() { gin.SetMode(gin.ReleaseMode) }

func newManager(t *testing.T) *session.Manager {
	t.Helper()
	m, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() }) // which has no error
	return m
}

func newStore(t *testing.T) sessions.Store {
	t.Helper()
	st, err := gincontrib.New(newManager(t), gorillastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTheSuiteOfGinContribPasses(t *testing.T) {
	t.Run("GetSet", func(t *testing.T) { tester.GetSet(t, newStore) })
	t.Run("DeleteKey", func(t *testing.T) { tester.DeleteKey(t, newStore) })
	t.Run("Flashes", func(t *testing.T) { tester.Flashes(t, newStore) })
	t.Run("Clear", func(t *testing.T) { tester.Clear(t, newStore) })
	t.Run("Options", func(t *testing.T) { tester.Options(t, newStore) })
	t.Run("Many", func(t *testing.T) { tester.Many(t, newStore) })
}

func TestOfSignsIn(t *testing.T) {
	m := newManager(t)
	st, err := gincontrib.New(m, gorillastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	engine := gin.New()
	engine.Use(sessions.Sessions("app", st))
	engine.GET("/", func(c *gin.Context) {
		s := sessions.Default(c)
		gincontrib.Of(s).Login("ada")
		s.Set("theme", "dark")
		if err := s.Save(); err != nil {
			t.Error(err)
		}
	})
	engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if n, err := m.RevokeUser(t.Context(), "ada"); n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
	if gincontrib.Of(nil) == nil {
		t.Error("Of is nil")
	}
}

// failing is a store on a server that is down.
type failing struct{ *memstore.Store }

func (failing) Load(context.Context, string) (*session.Record, error) {
	return nil, errors.New("the server is down")
}

func (failing) LoadShared(context.Context, string) (*session.Record, any, error) {
	return nil, nil, errors.New("the server is down")
}

// gin-contrib only logs that a session cannot be loaded, so a site has to ask.
func TestAnOutageIsNobodySignedOut(t *testing.T) {
	records, secret := memstore.New(memstore.Options{}), session.NewSecret()
	var sent []*http.Cookie
	for _, store := range []session.Store{records, failing{records}} {
		m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
			Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		st, err := gincontrib.New(m, gorillastore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		engine := gin.New()
		engine.Use(sessions.Sessions("app", st), func(c *gin.Context) {
			if err := gincontrib.Of(sessions.Default(c)).Err(); errors.Is(err, session.ErrUnavailable) {
				c.AbortWithStatus(http.StatusServiceUnavailable)
			}
		})
		engine.GET("/", func(c *gin.Context) {
			s := sessions.Default(c)
			s.Set("user", "ada")
			if err := s.Save(); err != nil {
				t.Error(err)
			}
		})
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		for _, c := range sent {
			r.AddCookie(c)
		}
		engine.ServeHTTP(w, r)
		want := http.StatusOK
		if store != session.Store(records) {
			want = http.StatusServiceUnavailable
		}
		if sent = w.Result().Cookies(); w.Code != want || want == 200 && len(sent) != 1 || want > 200 && len(sent) > 0 {
			t.Errorf("%T: %d with the cookies %v, want %d", store, w.Code, sent, want)
		}
	}
}

// The middleware of gin-contrib keeps the request that it gets.
func TestTheSessionOfTheNameIsTheManagersAfterUse(t *testing.T) {
	m := newManager(t)
	st, err := gincontrib.New(m, gorillastore.Options{Name: "app"})
	if err != nil {
		t.Fatal(err)
	}
	mine := func(c *gin.Context) {
		m.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
	}
	theirs := sessions.Sessions("app", st)
	for _, tt := range []struct {
		order []gin.HandlerFunc
		want  error
	}{{[]gin.HandlerFunc{mine, theirs}, nil}, {[]gin.HandlerFunc{theirs, mine}, session.ErrNoMiddleware}} {
		engine := gin.New()
		engine.Use(tt.order...)
		engine.GET("/", func(c *gin.Context) {
			s := sessions.Default(c)
			s.Set("theme", "dark")
			if err := s.Save(); !errors.Is(err, tt.want) {
				t.Errorf("Save = %v, want %v", err, tt.want)
			}
			n, err := session.Load(c.Request.Context())
			if err != nil || n.Has("theme") != (tt.want == nil) {
				t.Errorf("the session of the request has %v, %v", n.All(), err)
			}
		})
		engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
}
