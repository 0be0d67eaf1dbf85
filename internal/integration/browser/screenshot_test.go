package browser_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The pictures of the README, by make screenshots: COATCHECK_SCREENSHOTS is the folder they go to.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("COATCHECK_SCREENSHOTS")
	if dir == "" {
		t.Skip("make screenshots takes them")
	}
	s, phone, b := anyShop(t), fresh(t), fresh(t)
	phone.signIn(s.url, "ada", true)
	b.signIn(s.url, "ada", false)
	b.visit(s.url + "/shop")
	b.click("#add-coat")
	b.visit(s.url + "/shop")
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desktop", 1200, 960}, {"phone", 390, 844}} {
		for _, page := range []struct{ name, path, run string }{
			{"experiments", "/", ""}, {"result", "/", "#run-sign-out"}, {"shop", "/shop", ""},
			{"sessions", "/sessions", ""},
		} {
			b.do(chromedp.EmulateViewport(size.width, size.height))
			b.visit(s.url + page.path)
			if page.run != "" {
				b.click(page.run)
			}
			b.picture(filepath.Join(dir, page.name+"-"+size.name+".png"))
		}
	}
	dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
		Value: "dark"}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, dark); err != nil {
		t.Fatal(err)
	}
	b.visit(s.url + "/shop")
	b.picture(filepath.Join(dir, "shop-phone-dark.png"))
}

func (b *browser) picture(path string) {
	b.t.Helper()
	if err := os.WriteFile(path, get(b, chromedp.CaptureScreenshot()), 0o644); err != nil {
		b.t.Fatal(err)
	}
}
