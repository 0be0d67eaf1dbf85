//go:build unix

package starter_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/coatcheck/session/cmd/coatcheck/internal/pages"
	"github.com/coatcheck/session/cmd/coatcheck/internal/starter"
)

// goCommand runs the go command in a site, in a workspace with the modules of this repository.
func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), pages.GoEnv(filepath.Join(dir, "go.work"))...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func joinWorkspace(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	work, sum, err := pages.Workspace(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.work": work, "go.work.sum": sum} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// process is a site that runs.
type process struct {
	cmd     *exec.Cmd
	address string
	rest    chan string // what it says until it ends
}

// start starts the site, and waits until it says where it listens.
func start(t *testing.T, dir string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(filepath.Join(dir, "site.exe"), "-dev", "-addr", "127.0.0.1:0"),
		rest: make(chan string, 1)}
	p.cmd.Dir = dir
	out, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended, unless the test failed
	lines := bufio.NewScanner(out)
	said := ""
	for p.address == "" && lines.Scan() {
		said += lines.Text() + "\n"
		var entry struct{ Address string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil {
			p.address = strings.TrimSuffix(entry.Address, "/")
		}
	}
	if p.address == "" {
		t.Fatalf("the site did not start: %v\n%s", p.cmd.Wait(), said)
	}
	if n := strings.Count(said, "cookie.insecure: tickets"); n != 1 {
		t.Errorf("it warned %d times of -dev, want once:\n%s", n, said)
	}
	go func() {
		text := ""
		for lines.Scan() {
			text += lines.Text() + "\n"
		}
		p.rest <- text
	}()
	return p
}

// stop asks the site to end, as a supervisor does, and wants it to end in order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	said := <-p.rest
	if err := p.cmd.Wait(); err != nil || said != "" {
		t.Errorf("the site ended with %v, and said %q, want nothing", err, said)
	}
}

// visitor is a browser that goes where it is sent.
type visitor struct{ http.Client }

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{http.Client{Jar: jar}}
}

// sees makes a request, a POST when there is a form, and wants a text in the page that it comes to.
func (v *visitor) sees(t *testing.T, address string, form url.Values, want string) {
	t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := v.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(page), want) {
		t.Errorf("%s %s answers %s, %v, without %q:\n%s", method, address, resp.Status, err, want, page)
	}
}

// A new site is formatted, builds and passes its tests. Whoever signs in stays signed in over a restart.
func TestANewSiteRuns(t *testing.T) {
	for _, router := range starter.Routers {
		t.Run(router, func(t *testing.T) {
			dir, _ := write(t, starter.Site{Router: router, Module: "example.test/site"})
			joinWorkspace(t, dir)
			if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("gofmt would change %s, %v", out, err)
			}
			goCommand(t, dir, "vet", ".")
			goCommand(t, dir, "test", ".")
			goCommand(t, dir, "build", "-o", "site.exe", ".")
			signInAndRestart(t, dir)
		})
	}
}

func signInAndRestart(t *testing.T, dir string) {
	ada, eve := newVisitor(t), newVisitor(t)
	account := url.Values{"name": {"ada"}, "password": {"correct horse battery staple"}}
	site := start(t, dir)
	if out, err := exec.Command(filepath.Join(dir, "site.exe"), "-health", "-addr",
		strings.TrimPrefix(site.address, "http://")).CombinedOutput(); err != nil {
		t.Errorf("the health check fails: %v\n%s", err, out)
	}
	ada.sees(t, site.address+"/", nil, "<h1>Sign in</h1>")
	ada.sees(t, site.address+"/register", account, "Hello ada")
	ada.sees(t, site.address+"/logout", url.Values{}, "<h1>Sign in</h1>")
	ada.sees(t, site.address+"/login?return=%2Fdevices", account, "this device")
	eve.sees(t, site.address+"/login", url.Values{"name": {"ada"}, "password": {"guess"}}, "do not match")
	site.stop(t)

	again := start(t, dir)
	ada.sees(t, again.address+"/", nil, "Hello ada")
	eve.sees(t, again.address+"/", nil, "<h1>Sign in</h1>")
	eve.sees(t, again.address+"/login", account, "Welcome back.")
	ada.sees(t, again.address+"/devices", nil, "this device")
	again.stop(t)
}

// A cookie in the clear is for this machine alone.
func TestASiteThatOthersReachHasNoInsecureCookie(t *testing.T) {
	dir, _ := write(t, starter.Site{Router: "nethttp"})
	joinWorkspace(t, dir)
	goCommand(t, dir, "build", "-o", "site.exe", ".")
	cmd := exec.Command(filepath.Join(dir, "site.exe"), "-dev", "-addr", ":0")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "listen on 127.0.0.1") {
		t.Errorf("it ended with %v, and said %s, want it refused", err, out)
	}
}

// The versions in go.mod are those with which the sites are built here.
func TestTheVersionsOfANewSiteAreTriedHere(t *testing.T) {
	dir, texts := write(t, starter.Site{Router: "chi"})
	joinWorkspace(t, dir)
	for _, module := range []string{"github.com/go-chi/chi/v5", "golang.org/x/crypto"} {
		used := strings.TrimSpace(goCommand(t, dir, "list", "-m", "-f", "{{.Path}} {{.Version}}", module))
		if !strings.Contains(texts["go.mod"], "\t"+used+"\n") {
			t.Errorf("the workspace has %s, and a new site another version:\n%s", used, texts["go.mod"])
		}
	}
}
