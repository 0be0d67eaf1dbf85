package frameworks_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/coatcheck/session"
)

// everywhere runs a test with a site of each framework, over each protocol.
func everywhere(t *testing.T, middleware func(*session.Manager) around, test func(s *site)) {
	for name, with := range frameworks {
		for protocol, http2 := range protocols {
			t.Run(name+" "+protocol, func(t *testing.T) {
				s := open(t, http2, func(m *session.Manager) http.Handler { return with(middleware(m)) })
				if a := s.get("/nowhere"); a.Proto != protocol || a.StatusCode != 404 || len(a.Cookies()) != 0 {
					t.Errorf("%s %d with the cookies %v, want a plain 404", a.Proto, a.StatusCode, a.Cookies())
				}
				test(s)
			})
		}
	}
}

func preload(m *session.Manager) around    { return m.Preload }
func middleware(m *session.Manager) around { return m.Middleware }

func TestOneLineInstallsAndOneLineTakesTheSession(t *testing.T) {
	everywhere(t, preload, func(s *site) {
		s.reads("/visit", " 1")
		before := s.ticket()
		s.reads("/visit", " 2")
		if s.ticket() != before || before == "" {
			s.Errorf("the second visit has the ticket %q after %q", s.ticket(), before)
		}
		s.reads("/login", "ada 3")
		if s.ticket() == before {
			s.Error("the sign-in kept the ticket")
		}
		s.reads("/visit", "ada 4")
		if a := s.get("/wrong"); a.StatusCode != http.StatusTeapot || !strings.Contains(a.body, "ada 5") {
			s.Errorf("the error of a page is %d %q", a.StatusCode, a.body)
		}
	})
}

func TestAnOutageIsOneClean503AndKeepsTheCookie(t *testing.T) {
	everywhere(t, preload, func(s *site) {
		s.reads("/login", "ada 1")
		s.store.loads.Store(true)
		for _, path := range []string{"/visit", "/login", "/load", "/returned", "/wrong", "/stream", "/socket"} {
			s.isClean503(s.get(path))
		}
		s.store.loads.Store(false)
		s.reads("/visit", "ada 2")
	})
}

func TestASaveThatFailsIsOneClean503(t *testing.T) {
	everywhere(t, preload, func(s *site) {
		s.reads("/visit", " 1")
		s.store.saves.Store(true)
		for _, path := range []string{"/visit", "/login", "/load", "/wrong", "/stream"} {
			s.isClean503(s.get(path))
		}
		s.store.saves.Store(false)
		s.reads("/visit", " 2")
	})
}

// A sign-in that cannot be stored leaves the visitor as they were, with the ticket that they had.
func TestASignInThatFailsSignsNobodyIn(t *testing.T) {
	everywhere(t, preload, func(s *site) {
		s.reads("/visit", " 1")
		before := s.ticket()
		s.store.saves.Store(true)
		s.isClean503(s.get("/login"))
		s.store.saves.Store(false)
		if s.reads("/visit", " 2"); s.ticket() != before {
			s.Error("the sign-in that failed changed the ticket")
		}
	})
}

// Below Middleware nothing is loaded before the handler, so that the handler meets the outage.
func TestWhatLoadReturnsHasItsStatusAndTellsNothing(t *testing.T) {
	everywhere(t, middleware, func(s *site) {
		s.reads("/login", "ada 1")
		before := s.ticket()
		s.store.loads.Store(true)
		s.isClean503(s.get("/visit"))
		s.isClean503(s.get("/wrong"))
		if a := s.get("/load"); a.StatusCode != 503 || len(a.Cookies()) != 0 || strings.Contains(a.body, "10.0.0.7") {
			s.Errorf("Load is answered with %d %q and the cookies %v", a.StatusCode, a.body, a.Cookies())
		}
		s.store.loads.Store(false)
		if s.reads("/load", "ada 2"); s.ticket() != before {
			s.Error("the outage took the ticket")
		}
	})
}

// Frameworks that do not ask an error for its status answer 500.
func TestAnErrorThatAHandlerReturnsTellsNothing(t *testing.T) {
	everywhere(t, middleware, func(s *site) {
		s.reads("/login", "ada 1")
		s.store.loads.Store(true)
		want := http.StatusServiceUnavailable
		if strings.Contains(s.Name(), "echo_4") || strings.Contains(s.Name(), "huma") {
			want = http.StatusInternalServerError
		}
		if a := s.get("/returned"); a.StatusCode != want || len(a.Cookies()) != 0 ||
			strings.Contains(a.body, "10.0.0.7") {
			s.Errorf("%d %q with the cookies %v, want %d", a.StatusCode, a.body, a.Cookies(), want)
		}
		s.store.loads.Store(false)
		s.reads("/visit", "ada 2")
	})
}

func TestAStreamHasItsTicketBeforeItEnds(t *testing.T) {
	everywhere(t, preload, func(s *site) {
		resp, err := s.browser.Get(s.server.URL + "/stream")
		if err != nil {
			s.Fatal(err)
		}
		line, err := bufio.NewReader(resp.Body).ReadString('\n')
		if line != " 1\n" || err != nil || len(resp.Cookies()) != 1 || resp.StatusCode != 200 {
			s.Errorf("%d %q, %v with the cookies %v", resp.StatusCode, line, err, resp.Cookies())
		}
		s.reads("/visit", " 2")
		if err := resp.Body.Close(); err != nil {
			s.Error(err)
		}
	})
}

func TestAWebSocketHasItsTicket(t *testing.T) {
	for name, with := range frameworks {
		t.Run(name, func(t *testing.T) {
			s := open(t, false, func(m *session.Manager) http.Handler { return with(m.Preload) })
			timeout := time.AfterFunc(time.Minute, s.server.CloseClientConnections)
			defer timeout.Stop()
			s.store.saves.Store(true)
			options := &websocket.DialOptions{HTTPClient: s.browser}
			_, resp, err := websocket.Dial(t.Context(), s.server.URL+"/socket", options)
			if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
				t.Fatalf("an upgrade that cannot be stored is answered with %v, %v", resp, err)
			}
			s.store.saves.Store(false)
			conn, resp, err := websocket.Dial(t.Context(), s.server.URL+"/socket", options)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow()
			if _, message, err := conn.Read(t.Context()); string(message) != " 1" || err != nil {
				t.Errorf("read %q, %v", message, err)
			}
			if s.reads("/visit", " 2"); len(resp.Cookies()) != 1 {
				t.Errorf("the upgrade has the cookies %v", resp.Cookies())
			}
		})
	}
}
