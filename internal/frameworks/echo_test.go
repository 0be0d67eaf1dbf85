package frameworks_test

import (
	"io"
	"log/slog"
	"net/http"

	echo4 "github.com/labstack/echo/v4"
	"github.com/labstack/echo/v5"

	"github.com/coatcheck/session"
)

func withEcho5(wrap around) http.Handler {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.Use(echo.WrapMiddleware(wrap))
	e.GET("/visit", func(c *echo.Context) error { return c.String(200, visit(session.From(c.Request().Context()))) })
	e.GET("/login", func(c *echo.Context) error { return c.String(200, signIn(session.From(c.Request().Context()))) })
	e.GET("/stream", func(c *echo.Context) error {
		return stream(c.Request().Context(), c.Response(), session.From(c.Request().Context()))
	})
	e.GET("/socket", func(c *echo.Context) error {
		greet(c.Response(), c.Request(), session.From(c.Request().Context()))
		return nil
	})
	loads := func(c *echo.Context) error {
		s, err := session.Load(c.Request().Context())
		if err != nil {
			return err
		}
		return c.String(200, visit(s))
	}
	e.GET("/load", loads)
	e.GET("/returned", loads)
	e.GET("/wrong", func(c *echo.Context) error {
		return echo.NewHTTPError(http.StatusTeapot, visit(session.From(c.Request().Context())))
	})
	return e
}

func withEcho4(wrap around) http.Handler {
	e := echo4.New()
	e.Logger.SetOutput(io.Discard)
	e.Use(echo4.WrapMiddleware(wrap))
	e.GET("/visit", func(c echo4.Context) error { return c.String(200, visit(session.From(c.Request().Context()))) })
	e.GET("/login", func(c echo4.Context) error { return c.String(200, signIn(session.From(c.Request().Context()))) })
	e.GET("/stream", func(c echo4.Context) error {
		return stream(c.Request().Context(), c.Response(), session.From(c.Request().Context()))
	})
	e.GET("/socket", func(c echo4.Context) error {
		greet(c.Response(), c.Request(), session.From(c.Request().Context()))
		return nil
	})
	e.GET("/load", func(c echo4.Context) error {
		s, err := session.Load(c.Request().Context())
		if err != nil {
			return echo4.NewHTTPError(statusOf(err), err.Error())
		}
		return c.String(200, visit(s))
	})
	e.GET("/returned", func(c echo4.Context) error {
		_, err := session.Load(c.Request().Context())
		return err
	})
	e.GET("/wrong", func(c echo4.Context) error {
		return echo4.NewHTTPError(http.StatusTeapot, visit(session.From(c.Request().Context())))
	})
	return e
}
