package fibersession_test

import (
	"fmt"
	"io"
	"net/http/httptest"

	"github.com/gofiber/fiber/v3"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/fibersession"
	"github.com/coatcheck/session/memstore"
)

func Example() {
	sessions, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()

	const visits = session.Key[int]("visits")
	app := fiber.New()
	app.Use(fibersession.Use(sessions))
	app.Get("/", func(c fiber.Ctx) error {
		s := fibersession.From(c)
		visits.Update(s, func(n int) int { return n + 1 })
		return c.SendString(fmt.Sprintf("visit %d", visits.Or(s, 0)))
	})

	r := httptest.NewRequest("GET", "/", nil)
	for range 2 {
		resp, err := app.Test(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(resp.Body)
		fmt.Println(string(body), err)
		for _, c := range resp.Cookies() {
			r.AddCookie(c)
		}
	}
	// Output:
	// visit 1 <nil>
	// visit 2 <nil>
}
