package otelsession_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

const outcome = "coatcheck.outcome"

func TestRequestsAreCountedByWhatTheyCost(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/read": read, "/leave": leave, "/logout": logout})
	for _, path := range []string{"/leave", "/read", "/set", "/read", "/leave", "/logout"} {
		s.get(path)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"untouched": 3, "read": 1, "written": 2})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 2})
}

func TestATouchIsAnOutcome(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/read": read},
		func(o *session.Options) { o.TouchEvery = -1 })
	s.get("/set")
	s.get("/read")
	s.wantMetrics("coatcheck.requests", map[string]int{"touched": 1, "written": 1})
}

func TestTheMostThatWasDoneIsTheOutcome(t *testing.T) {
	var s *site
	s = open(t, map[string]http.HandlerFunc{"/save": func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		if err := load(r).Save(r.Context()); err != nil {
			t.Error(err)
		}
		if _, err := s.sessions.Sessions(r.Context(), "ada"); err != nil {
			t.Error(err)
		}
	}})
	s.get("/save")
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1})
}

func TestSpansOfLoadAndCommit(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/read": read})
	s.get("/set")
	s.get("/set")
	_, id := s.get("/read")
	if got, want := s.names(), []string{"save", "commit", "load", "save", "commit", "load"}; !slices.Equal(got, want) {
		t.Fatalf("spans are %v, want %v", got, want)
	}
	for _, span := range s.spans.Ended() {
		if got := value(span, semconv.SessionIDKey); got != id {
			t.Errorf("%s has session.id %q, want %q", span.Name(), got, id)
		}
		if got := value(span, outcome); got != "ok" {
			t.Errorf("%s has the outcome %q, want ok", span.Name(), got)
		}
	}
	saves, commits := s.named("coatcheck save"), s.named("coatcheck commit")
	for i, save := range saves {
		if save.Parent().SpanID() != commits[i].SpanContext().SpanID() {
			t.Error("a save is not below its commit")
		}
		if commits[i].StartTime().After(save.StartTime()) || save.EndTime().After(commits[i].EndTime()) {
			t.Error("a save is not within its commit")
		}
	}
}

func TestALoginNamesTheSessionBefore(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/read": read, "/login": login})
	s.get("/set")
	_, before := s.get("/read")
	s.get("/login")
	_, after := s.get("/read")
	commits := s.named("coatcheck commit")
	commit := commits[len(commits)-1]
	if got := value(commit, semconv.SessionIDKey); got != after || after == before {
		t.Errorf("the commit of a login has session.id %q, want %q", got, after)
	}
	if got := value(commit, semconv.SessionPreviousIDKey); got != before {
		t.Errorf("the commit of a login has session.previous_id %q, want %q", got, before)
	}
}

func TestSpansAreBelowTheOneOfTheServer(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set})
	site := s.server.Config.Handler
	s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := s.tracers.Tracer("server").Start(r.Context(), "request")
		defer span.End()
		site.ServeHTTP(w, r.WithContext(ctx))
	}))
	s.get("/set")
	commit, request := s.named("coatcheck commit")[0], s.named("request")[0]
	if commit.Parent().SpanID() != request.SpanContext().SpanID() {
		t.Error("the commit is not below the span of the server")
	}
}

func TestWhatBelongsToNoRequestHasNoSpan(t *testing.T) {
	s := open(t, nil)
	if _, err := s.sessions.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := s.names(); names != nil {
		t.Errorf("a sweep has the spans %v, want none", names)
	}
	s.wantMetrics("coatcheck.store.duration", map[string]int{"sweep,ok": 1})
	ctx, span := s.tracers.Tracer("job").Start(t.Context(), "job")
	if _, err := s.sessions.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	span.End()
	if got, want := s.names(), []string{"sweep", "job"}; !slices.Equal(got, want) {
		t.Errorf("a sweep of a job has the spans %v, want %v", got, want)
	}
}

func TestAnOutageIsAnOutcome(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/read": read})
	s.get("/set")
	s.store.saves.Store(true)
	if status, _ := s.get("/set"); status != http.StatusServiceUnavailable {
		t.Fatalf("status %d, want 503", status)
	}
	s.store.loads.Store(true)
	s.get("/read")
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "unavailable": 2})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1, "unavailable": 1})
	commits := s.named("coatcheck commit")
	if got := commits[1].Status(); got.Code != codes.Error || got.Description != "unavailable" {
		t.Errorf("the status of the commit is %v, want the error unavailable", got)
	}
	if got := value(commits[1], semconv.ErrorTypeKey); got != "unavailable" {
		t.Errorf("error.type is %q, want unavailable", got)
	}
}

// A session that ended while a request was under way is refused there, whichever way the response begins.
func TestASessionThatEndedIsAnOutcome(t *testing.T) {
	var s *site
	end := func(r *http.Request) {
		if n, err := s.sessions.Revoke(r.Context(), load(r).ID()); n != 1 || err != nil {
			t.Errorf("Revoke = %d, %v", n, err)
		}
	}
	s = open(t, map[string]http.HandlerFunc{"/set": set, "/late": func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		end(r)
		io.WriteString(w, "this must not be sent")
	}})
	s.get("/set")
	if status, body := s.get("/late"); status != http.StatusConflict || body == "this must not be sent" {
		t.Fatalf("status %d and %q, want 409", status, body)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "ended": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1, "ended": 1})
	s.wantMetrics("coatcheck.sessions.ended", map[string]int{"revoked": 1})
}

func TestALoginAboveTheLimitIsAnOutcome(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/login": login},
		func(o *session.Options) { o.MaxPerUser, o.Overflow = 1, session.RefuseNew })
	s.get("/login")
	s.browser.Jar = nil
	if status, _ := s.get("/login"); status != http.StatusForbidden {
		t.Fatalf("status %d, want 403", status)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "too_many": 1})
	for _, span := range s.spans.Ended() {
		if span.Status().Code == codes.Error {
			t.Errorf("%s is an error, which a login that was refused is not", span.Name())
		}
	}
}

func TestAConflictIsCountedAndMerged(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/visits": func(w http.ResponseWriter, r *http.Request) {
		if n, _ := visits.Get(load(r)); n != 3 {
			t.Errorf("%d visits, want 3", n)
		}
	}})
	s.get("/set")
	s.store.before = func(*session.Record) {
		s.store.before = nil
		s.get("/set") // which comes first
	}
	s.get("/set")
	s.get("/visits")
	s.wantMetrics("coatcheck.conflicts", map[string]int{"": 1})
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 3, "read": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 3})
	if n := s.metrics()["coatcheck.store.duration save,conflict"]; n != 1 {
		t.Errorf("%d saves met a conflict, want 1", n)
	}
}

// What a response does after its first byte is no part of the commit.
func TestAStreamCommitsAtItsFirstByte(t *testing.T) {
	flushed, on := make(chan error), make(chan struct{})
	s := open(t, map[string]http.HandlerFunc{"/stream": func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		flushed <- http.NewResponseController(w).Flush()
		<-on
		set(w, r)
		if err := load(r).Save(r.Context()); err != nil {
			t.Error(err)
		}
	}})
	go func() {
		if resp, err := s.browser.Get(s.server.URL + "/stream"); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}()
	if err := <-flushed; err != nil {
		t.Fatal(err)
	}
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1})
	s.wantMetrics("coatcheck.requests", map[string]int{})
	on <- struct{}{}
	s.server.Close()
	if got, want := s.names(), []string{"save", "commit", "save"}; !slices.Equal(got, want) {
		t.Errorf("spans are %v, want %v", got, want)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1})
}

func TestAnEarlyHintIsNoResponse(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/hint": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		set(w, r)
		if err := load(r).Save(r.Context()); err != nil {
			t.Error(err)
		}
		set(w, r)
		w.WriteHeader(http.StatusAccepted)
	}})
	if status, _ := s.get("/hint"); status != http.StatusAccepted {
		t.Fatalf("status %d, want 202", status)
	}
	if got, want := s.names(), []string{"save", "save", "commit"}; !slices.Equal(got, want) {
		t.Errorf("spans are %v, want %v: the first save is the handler's own", got, want)
	}
}

func TestAConnectionThatIsTakenOverIsCommittedBefore(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/socket": func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		answer(buf)
	}})
	site, over := s.server.Config.Handler, make(chan struct{}) // the server waits for no such connection
	s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(over)
		site.ServeHTTP(w, r)
	}))
	if status, _ := s.get("/socket"); status != http.StatusNoContent {
		t.Fatalf("status %d, want 204", status)
	}
	<-over
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1})
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1})
}

func answer(buf *bufio.ReadWriter) {
	io.WriteString(buf, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	buf.Flush()
}

func TestAPanicIsCountedAndCommitsNothing(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/panic": func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		panic(http.ErrAbortHandler)
	}})
	if _, err := s.browser.Get(s.server.URL + "/panic"); err == nil {
		t.Fatal("a handler that panicked was answered")
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"untouched": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{})
}

func TestAStorePanicEndsTheSpanOfTheCommit(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set})
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.store.before = func(*session.Record) { panic("a bug of the store") }
	if _, err := s.browser.Get(s.server.URL + "/set"); err == nil {
		t.Fatal("a store that panicked was answered")
	}
	if commits := s.named("coatcheck commit"); len(commits) != 1 || value(commits[0], outcome) != "failed" {
		t.Errorf("commits are %v, want one that failed", commits)
	}
}

// Two managers in one request are one request, and its commit is both of theirs.
func TestTwoManagersInARequestCountOnce(t *testing.T) {
	s := open(t, nil)
	staff, err := session.New(s.telemetry.Store(memstore.New(memstore.Options{})), session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never,
		Cookie: session.Cookie{Insecure: true, Name: "staff"}, OnEvent: s.telemetry.Events(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { staff.Close() })
	inner := s.telemetry.Middleware(staff.Preload)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		visitor, err := s.sessions.Load(r.Context())
		if err != nil {
			t.Error(err)
			return
		}
		visits.Set(visitor, 1)
	}))
	s.serve(s.telemetry.Middleware(s.sessions.Middleware)(inner))
	s.get("/")
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1})
	s.wantMetrics("coatcheck.store.duration", map[string]int{"save,ok": 2})
	if got, want := s.names(), []string{"save", "save", "commit"}; !slices.Equal(got, want) {
		t.Errorf("spans are %v, want %v", got, want)
	}
}

func TestTwiceAroundAHandlerCountsOnce(t *testing.T) {
	s := open(t, nil)
	around := s.telemetry.Middleware(s.sessions.Middleware)
	s.serve(around(around(http.HandlerFunc(set))))
	if status, _ := s.get("/"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1})
}

func TestPreloadIsMeasuredToo(t *testing.T) {
	s := open(t, nil)
	s.serve(s.telemetry.Middleware(s.sessions.Preload)(http.HandlerFunc(set)))
	s.get("/")
	s.store.loads.Store(true)
	if status, _ := s.get("/"); status != http.StatusServiceUnavailable {
		t.Fatalf("status %d, want 503", status)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "unavailable": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1})
}

// The metrics of a call whose context has ended are kept.
func TestAClientThatHungUpIsAnOutcome(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set})
	s.get("/set")
	ctx, hangUp := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "GET", s.server.URL+"/set", nil)
	for _, c := range s.browser.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	hangUp()
	w := httptest.NewRecorder()
	s.telemetry.Middleware(s.sessions.Preload)(http.HandlerFunc(set)).ServeHTTP(w, r)
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "canceled": 1})
	if n := s.metrics()["coatcheck.store.duration load,canceled"]; n != 1 {
		t.Errorf("%d loads were canceled, want 1", n)
	}
}

// A handler is told the truth about what its writer can do.
func TestAHandlerFindsWhatTheWriterCanDo(t *testing.T) {
	s := open(t, nil)
	h := s.telemetry.Middleware(s.sessions.Middleware)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, flushes := w.(http.Flusher)
			_, hijacks := w.(http.Hijacker)
			_, pushes := w.(http.Pusher)
			if !flushes || hijacks || pushes {
				t.Errorf("flushes %t, hijacks %t, pushes %t; want only the first", flushes, hijacks, pushes)
			}
		}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

// The error of a flush is not lost on the way: a stream learns that its session has ended.
func TestAStreamLearnsThatItWasRefused(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/stream": func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Flush = %v, want ErrUnavailable", err)
		}
	}})
	s.get("/set")
	s.store.saves.Store(true)
	s.get("/stream")
}

func TestARequestWithAnotherContextIsServed(t *testing.T) {
	s := open(t, nil)
	forget := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.sessions.Middleware(next).ServeHTTP(w, r.WithContext(context.Background()))
		})
	}
	s.serve(s.telemetry.Middleware(forget)(http.HandlerFunc(set)))
	if status, _ := s.get("/"); status != http.StatusOK {
		t.Fatalf("status %d, want 200", status)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"untouched": 1})
	s.wantMetrics("coatcheck.store.duration", map[string]int{"save,ok": 1})
}

func TestErrorsCallsTheNextOne(t *testing.T) {
	r := newRecorder(t)
	var told error
	on := r.telemetry.Errors(func(_ http.ResponseWriter, _ *http.Request, err error) { told = err })
	on(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), session.ErrEnded)
	if !errors.Is(told, session.ErrEnded) {
		t.Errorf("the next function was told %v, want ErrEnded", told)
	}
}

func TestTimeoutHandlerInsideIsMeasured(t *testing.T) {
	s := open(t, nil)
	h := http.TimeoutHandler(http.HandlerFunc(set), time.Hour, "")
	s.serve(s.telemetry.Middleware(s.sessions.Middleware)(h))
	s.get("/")
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 1})
}
