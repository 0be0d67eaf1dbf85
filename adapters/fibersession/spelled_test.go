package fibersession_test

import (
	"testing"

	"github.com/gofiber/fiber/v3"
)

// Fiber can leave the names of headers as the handler spells them.
func TestAHeaderThatIsSpelledInAnotherWayIsReplaced(t *testing.T) {
	for _, fails := range []bool{false, true} {
		s := open(t, false, func(app *fiber.App) {
			app.Server().DisableHeaderNamesNormalizing = true // as DisableHeaderNormalizing of fiber.Config
			app.Get("/do", do(func(c fiber.Ctx) error {
				c.Set("cache-control", "public")
				c.Set("ETag", `"1"`)
				c.Set("location", "/elsewhere")
				return c.SendString("text")
			}))
		})
		s.store.saves.Store(fails)
		h := s.get("/do").Header
		if got := h.Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" || h.Get("CDN-Cache-Control") != "" {
			t.Errorf("caches are told %v", h)
		}
		if fails && (h.Get("ETag") != "" || h.Get("Location") != "") {
			t.Errorf("the 503 has the header %v", h)
		}
	}
}
