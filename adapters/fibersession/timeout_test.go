package fibersession_test

import (
	"context"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/timeout"

	"github.com/coatcheck/session/adapters/fibersession"
)

// tooLong is a handler that signs in and then takes longer than its time, until stop is closed.
func tooLong(stop <-chan struct{}) fiber.Handler {
	limited := timeout.New(func(c fiber.Ctx) error {
		fibersession.From(c).Login("ada")
		c.Locals("over").(context.CancelFunc)()
		<-stop
		return nil
	}, timeout.Config{Timeout: time.Hour})
	return func(c fiber.Ctx) error {
		ctx, over := context.WithCancel(c.Context())
		c.SetContext(ctx)
		c.Locals("over", over)
		return limited(c)
	}
}

// Fiber sends a copy of the response that was there when the time was over, and nothing of what comes to it later.
func TestAHandlerThatTakesTooLongSendsTheTicket(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	s := open(t, false, func(app *fiber.App) {
		app.Get("/slow", tooLong(stop))
		app.Get("/read", read)
	})
	a := s.get("/slow")
	if a.StatusCode != 408 || a.body != "Request Timeout" || a.tickets() != 1 ||
		a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %q with the header %v, want a 408 with a ticket", a.StatusCode, a.body, a.Header)
	}
	if a := s.get("/read"); a.body != "ada 0" || s.stored() != 1 {
		t.Errorf("the next request reads %q, and %d sessions are stored", a.body, s.stored())
	}
}

func TestASaveThatFailsAnswersForAHandlerThatTakesTooLong(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	s := open(t, false, func(app *fiber.App) { app.Get("/slow", tooLong(stop)) })
	s.store.saves.Store(true)
	if a := s.get("/slow"); a.StatusCode != 503 || a.body != "Please try again in a moment.\n" || a.tickets() != 0 {
		t.Errorf("%d %q with the header %v, want one clean 503", a.StatusCode, a.body, a.Header)
	}
}
