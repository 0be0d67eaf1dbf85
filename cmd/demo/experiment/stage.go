package experiment

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coatcheck/session/cmd/demo/trace"
)

const cookieName = "experiment"

// counts is the cart of release 1, and line a part of that of release 2.
type (
	counts map[string]int
	line   struct {
		Product string
		Count   int
	}
)

// visit is a request with its session, whichever way that is kept.
type visit interface {
	user() string
	signIn(name string)
	signOut()
	renew()
	clicks() int
	click()
	read(title string)
	fill(cart counts)
	cart() string
	devices() ([]string, error)
	endDevice(name string) error
}

// errCannot says that this way of keeping sessions has no answer.
var errCannot = errors.New("this way cannot say which sessions a user has")

// errNoSignIn says that an experiment could not begin.
var errNoSignIn = errors.New("nobody could sign in: the store keeps nothing now")

// page is what one request does. It returns what it tells the visitor.
type page func(visit) string

// way is how a site keeps its sessions.
type way interface {
	serve(w http.ResponseWriter, r *http.Request, p page)
}

// stage is a site on which one experiment is done, and the notes of its requests. Its HTTP is real: it listens on a
// port of this machine for as long as the experiment takes.
type stage struct {
	ctx    context.Context
	user   string // who signs in: nobody else of the store has this name
	way    way
	gate   *gate
	clock  *clock
	deploy func(release int32)

	server *http.Server
	url    string
	err    error // why the experiment shows nothing

	mu    sync.Mutex
	steps []*step
}

// step is a request that is on its way, or was.
type step struct {
	page page
	note Request
}

// deadline is how long an experiment may take.
const deadline = 15 * time.Second

func newStage(ctx context.Context, store trace.Backend, ours bool) (*stage, error) {
	s := &stage{ctx: ctx, user: "ada of experiment " + rand.Text(), gate: &gate{Backend: store}, clock: &clock{}}
	watched := trace.Watch(s.gate)
	if ours {
		o, err := newOurs(watched, s.clock.now)
		if err != nil {
			return nil, err
		}
		s.way, s.deploy = o, o.release.Store
	} else {
		u := &usual{store: watched}
		s.way, s.deploy = u, u.release.Store
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the experiment: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: deadline}
	go func() { _ = s.server.Serve(listener) }() // until close
	return s, nil
}

// close ends the site, and removes what it left in the store.
func (s *stage) close() error {
	err := s.server.Close()
	if o, ok := s.way.(*ours); ok {
		err = errors.Join(err, o.sessions.Close())
	}
	return errors.Join(err, s.gate.clean(context.WithoutCancel(s.ctx)))
}

// stepHeader names the step of a request whose path the site has chosen.
const stepHeader = "Experiment-Step"

// ServeHTTP does the step that the path names.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	step := s.find(cmp.Or(r.Header.Get(stepHeader), r.URL.Path))
	if step == nil {
		http.NotFound(w, r)
		return
	}
	ctx, t := trace.New(r.Context())
	counted := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	s.way.serve(counted, r.WithContext(ctx), step.page)
	s.mu.Lock()
	defer s.mu.Unlock()
	step.note.Status = counted.status
	step.note.Summary = t.Summary(w.Header(), cookieName)
}

func (s *stage) find(path string) *step {
	var n int
	if _, err := fmt.Sscanf(path, "/%d", &n); err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n >= len(s.steps) {
		return nil
	}
	return s.steps[n]
}

// add makes a step, and returns it with its path.
func (s *stage) add(p page, who, what string) (*step, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := &step{page: p, note: Request{Who: who, What: what}}
	s.steps = append(s.steps, one)
	return one, fmt.Sprintf("/%d", len(s.steps)-1)
}

// requests are the notes of the steps, in the order in which they began.
func (s *stage) requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Request, len(s.steps))
	for i, one := range s.steps {
		list[i] = one.note
	}
	return list
}

// answer writes what a page tells the visitor.
func answer(w http.ResponseWriter, says string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(says)) // the visitor is in this process
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
