package browser_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a step may take on a machine that has other things to do.
const patience = 5 * time.Minute

// browser is a Chromium with a profile of its own, and a tab of it.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// open starts a browser on a profile, a folder that may have been used before.
func open(t *testing.T, profile string, more ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("headless", "new"), chromedp.WSURLReadTimeout(patience))
	process, end := chromedp.NewExecAllocator(context.Background(), append(opts, more...)...)
	t.Cleanup(end)
	return newTab(t, process)
}

// fresh starts a browser with an empty profile.
func fresh(t *testing.T, more ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	return open(t, t.TempDir(), more...)
}

// tab opens another tab of the browser.
func (b *browser) tab() *browser {
	b.t.Helper()
	return newTab(b.t, b.ctx)
}

func newTab(t *testing.T, parent context.Context) *browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	// The browser lives as long as the context of the first call, which therefore has no deadline.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return &browser{t, ctx}
}

// close ends the browser as its user does, so that it keeps what it keeps.
func (b *browser) close() {
	b.t.Helper()
	if err := chromedp.Cancel(b.ctx); err != nil {
		b.t.Fatalf("close the browser: %v", err)
	}
}

// do runs actions with patience.
func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	get(b, chromedp.Steps(actions...))
}

// get runs an action with patience, and returns what it found.
func get[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	found, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%v; the page is:\n%s", err, b.page())
	}
	return found
}

// page is the text of the page, as far as it can be had.
func (b *browser) page() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	// it is for a message only
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.innerText`))
	return text
}

// visit goes to an address and returns the status.
func (b *browser) visit(address string) int64 {
	b.t.Helper()
	return b.leads(chromedp.Navigate(address))
}

// click clicks something that leads to another page, and returns the status of that.
func (b *browser) click(selector string) int64 {
	b.t.Helper()
	return b.leads(chromedp.Click(chromedp.Search(selector), chromedp.NodeVisible))
}

// press clicks the first button with this text.
func (b *browser) press(text string) int64 {
	b.t.Helper()
	return b.click(fmt.Sprintf(`(//button[normalize-space(.)=%q])[1]`, text))
}

// leads waits until the page is there to which an action leads.
func (b *browser) leads(action chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	status, err := b.tryLeads(action)
	if err != nil {
		b.t.Fatalf("%v; the page is:\n%s", err, b.page())
	}
	return status
}

func (b *browser) tryLeads(action chromedp.Action[chromedp.Void]) (int64, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, action)
	if err != nil {
		return 0, err
	}
	return response.Status, nil
}

// fill writes text into a field.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// text returns what stands in an element.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(get(b, chromedp.Text(chromedp.CSS(selector), chromedp.NodeReady)))
}

// count returns how many elements there are.
func (b *browser) count(selector string) int {
	b.t.Helper()
	return get(b, chromedp.Evaluate[int](fmt.Sprintf(`document.querySelectorAll(%q).length`, selector)))
}

// shows wants a text in an element.
func (b *browser) shows(selector, want string) {
	b.t.Helper()
	if got := b.text(selector); !strings.Contains(got, want) {
		b.t.Errorf("%s shows %q, want %q", selector, got, want)
	}
}

// signIn signs in at the shop.
func (b *browser) signIn(url, user string, keep bool) {
	b.t.Helper()
	b.visit(url + "/sign-in")
	b.fill("#user", user)
	if keep {
		b.do(chromedp.Click(chromedp.CSS(`input[name=remember]`)))
	}
	b.press("Sign in")
	b.shows("h1", "Hello, "+user)
}
