package sessionconfig_test

import (
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// The first document's configuration gives the cookie that its table describes.
func TestTheConfigurationOfNexios(t *testing.T) {
	s := open(t, document(t, "nexios-flat.yaml"))
	c := s.first(t)
	if c.Name != "nexios_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 ||
		!c.Expires.IsZero() {
		t.Errorf("cookie %s, Secure %v, HttpOnly %v, Max-Age %d", c.Name, c.Secure, c.HttpOnly, c.MaxAge)
	}
	resp, cookie := s.visit(t, &http.Cookie{Name: c.Name, Value: c.Value},
		func(sess *session.Session) { steps.Or(sess, 0) })
	if len(resp.Cookies()) != 0 {
		t.Errorf("a request that only reads gets %d cookies, want none", len(resp.Cookies()))
	}
	s.now = s.now.Add(24*time.Hour - time.Minute)
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("a minute before the end there are %d steps, want 1", n)
	}
	s.now = s.now.Add(time.Minute)
	if n := s.count(t, cookie); n != 0 {
		t.Errorf("after 1440 minutes there are %d steps, want none, whatever was read meanwhile", n)
	}
}

// Permanent gives the cookie an end; refresh_each_request moves it, and that on the server, with every request.
func TestPermanentAndRefreshedSessionsOfNexios(t *testing.T) {
	s := opened(t, "preset: nexios\nsession_expiration_time: 1440\nsession_permanent: "+
		"true\nsession_refresh_each_request: true\n")
	c := s.first(t)
	if c.MaxAge != 86400 || !c.Expires.Equal(s.now.Add(24*time.Hour)) {
		t.Errorf("Max-Age %d, Expires %v, want a day", c.MaxAge, c.Expires)
	}
	cookie := &http.Cookie{Name: c.Name, Value: c.Value}
	for range 3 {
		s.now = s.now.Add(20 * time.Hour)
		resp, _ := s.visit(t, cookie, func(sess *session.Session) { steps.Or(sess, 0) })
		if list := resp.Cookies(); len(list) != 1 || !list[0].Expires.Equal(s.now.Add(24*time.Hour)) {
			t.Errorf("a request that only reads gets %v, want the cookie with a new end", list)
		}
	}
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("after 60 hours with requests there are %d steps, want 1", n)
	}
	s.now = s.now.Add(24 * time.Hour)
	if n := s.count(t, cookie); n != 0 {
		t.Errorf("a day after the last request there are %d steps, want none", n)
	}
	long := load(t, yaml(t, "preset: nexios\nsession_expiration_time: 86400\nsession_refresh_each_request: true"))
	if long.Options.Lifetime < 60*24*time.Hour {
		t.Errorf("60 days of rest end after %v", long.Options.Lifetime)
	}
}

// The class with its upper-case names, and the defaults that the third document gives.
func TestTheUpperCaseNamesOfNexios(t *testing.T) {
	class, bare := load(t, "testdata/nexios-class.yaml"), load(t, yaml(t, "preset: nexios"))
	for _, cfg := range []*sessionconfig.Config{class, bare} {
		t.Chdir(t.TempDir())
		c := open(t, cfg).first(t)
		if c.Name != "sessionid" || c.Secure || !c.HttpOnly || c.Domain != "" || c.Path != "/" ||
			c.SameSite != http.SameSiteLaxMode || c.Partitioned {
			t.Errorf("cookie %s; Domain %s; Path %s; Secure %v; HttpOnly %v", c.Name, c.Domain, c.Path, c.Secure,
				c.HttpOnly)
		}
	}
	t.Setenv("SESSION_COOKIE_NAME", "from_env")
	t.Setenv("SESSION_COOKIE_SECURE", "True")
	for _, content := range []string{"preset: nexios\nsession_cookie_name: x",
		"store: memory\ncookie: {name: x, insecure: true}"} {
		if c := load(t, yaml(t, content)).Options.Cookie; c.Name != "from_env" || c.Insecure {
			t.Errorf("%q with upper-case variables gives %+v", content, c)
		}
	}
}

// The documents give None as the default of the domain. Browsers refuse a cookie for a domain of that name.
func TestADomainOfNoneIsNoDomain(t *testing.T) {
	for _, content := range []string{"preset: nexios\nSESSION_COOKIE_DOMAIN: None",
		"preset: expanse\nstore: dict\ndomain: None"} {
		if c := opened(t, content).first(t); c.Domain != "" {
			t.Errorf("%q gives a cookie for the domain %s", content, c.Domain)
		}
	}
	t.Setenv("SESSION_COOKIE_DOMAIN", "None")
	for _, content := range []string{"preset: nexios", "store: memory"} {
		if c := opened(t, content).first(t); c.Domain != "" {
			t.Errorf("%q with the variable gives a cookie for the domain %s", content, c.Domain)
		}
	}
}

// SECRET_KEY is read by the preset nexios, from a file or the environment, and by nobody else.
func TestTheSecretKeyOfNexios(t *testing.T) {
	t.Setenv("SECRET_KEY", strings.Repeat("a strong and random one ", 2))
	cfg, err := sessionconfig.Load(yaml(t, "preset: nexios"))
	if err != nil {
		t.Fatal(err)
	}
	if secrets, err := cfg.Secrets(t.Context()); err != nil || string(secrets[0]) != os.Getenv("SECRET_KEY") {
		t.Errorf("Secrets gives %v, %v", secrets, err)
	}
	cfg, err = sessionconfig.Load(yaml(t, "store: memory"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Secrets(t.Context()); err == nil {
		t.Error("without the preset SECRET_KEY is read")
	}
}

// Files are the default, in the folder session_dir, which is made for its owner alone; session_manager is the store.
func TestTheStoresOfNexios(t *testing.T) {
	s := opened(t, "preset: nexios\nsession_dir: kept\n")
	s.first(t)
	info, err := os.Stat("kept")
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v, want mode 0700", info, err)
	}
	opened(t, "preset: nexios").first(t)
	if _, err := os.Stat("sessions/records"); err != nil {
		t.Errorf("without session_dir: %v, want files in sessions", err)
	}
	for manager, want := range map[string]string{"file": "file", "cookies": "cookies", "memory": "memory",
		"dict": "memory"} {
		if cfg := load(t, yaml(t, "preset: nexios\nsession_manager: "+manager)); cfg.Store != want {
			t.Errorf("session_manager %s is the store %s", manager, cfg.Store)
		}
	}
	wants(t, refused(t, "preset: nexios\nsession_manager: cookie"), "did you mean cookies?")
}
