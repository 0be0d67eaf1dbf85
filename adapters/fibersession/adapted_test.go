package fibersession_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/fibersession"
)

// adapted is what the package says about handlers of net/http.
func adapted(h http.Handler) fiber.Handler {
	return adaptor.HTTPHandlerWithContext(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx, ok := adaptor.LocalContextFromHTTPRequest(r); ok {
			r = r.WithContext(ctx)
		}
		h.ServeHTTP(w, r)
	}))
}

// Handlers of package guard and of adapters/passkey are of net/http, and bring the manager's middleware with them.
func TestAHandlerOfNetHTTPHasTheSessionOfTheRequest(t *testing.T) {
	var s *site
	handler := func(do func(*session.Session)) fiber.Handler {
		return func(c fiber.Ctx) error {
			return adapted(s.sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				do(s)
				fmt.Fprint(w, s.User(), " ", visits.Or(s, 0))
			}))(c)
		}
	}
	s = open(t, false, func(app *fiber.App) {
		app.Use(func(c fiber.Ctx) error {
			visits.Update(fibersession.From(c), func(n int) int { return n + 1 })
			return c.Next()
		})
		app.Get("/in", handler(func(s *session.Session) { s.Login("ada") }))
		app.Get("/out", handler((*session.Session).Logout))
		app.Get("/read", read)
	})
	rows := [][2]string{{"/read", " 1"}, {"/in", "ada 2"}, {"/read", "ada 3"}, {"/out", " 0"}, {"/read", " 1"}}
	for _, row := range rows {
		if a := s.get(row[0]); a.StatusCode != 200 || a.body != row[1] || a.tickets() > 1 || s.stored() > 1 {
			t.Errorf("%s is %d %q with %d tickets, and %d sessions are stored; want %q", row[0], a.StatusCode, a.body,
				a.tickets(), s.stored(), row[1])
		}
	}
}
