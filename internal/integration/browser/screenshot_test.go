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
	b.click("#add-coat")
	for _, shot := range []struct {
		name, path, click string
		width, height     int64
		scheme            string
	}{
		{"experiments-desktop", "/", "", 1200, 1060, "light"},
		{"result-desktop", "/", "#run-sign-out", 1200, 1060, "light"},
		{"sessions-phone", "/sessions", "", 390, 844, "light"},
		{"shop-phone-dark", "/shop", "", 390, 844, "dark"},
	} {
		b.sees(shot.scheme)
		b.do(chromedp.EmulateViewport(shot.width, shot.height))
		b.visit(s.url + shot.path)
		if shot.click != "" {
			b.click(shot.click)
		}
		b.picture(filepath.Join(dir, shot.name+".png"))
	}
}

// sees makes the browser prefer a colour scheme, and no motion, which a picture would catch half-way.
func (b *browser) sees(scheme string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) picture(path string) {
	b.t.Helper()
	if err := os.WriteFile(path, get(b, chromedp.CaptureScreenshot()), 0o644); err != nil {
		b.t.Fatal(err)
	}
}
