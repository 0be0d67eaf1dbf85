package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// What visitors do more than once.

// signsIn signs the browser in as ada.
func (b *browser) signsIn() {
	r := b.does("signs in", func(v visit) string {
		v.signIn(b.stage.user)
		return "Hello, ada."
	})
	if r.Cookie != "sent" {
		b.stage.err = errNoSignIn
	}
}

func signsOut(v visit) string {
	v.signOut()
	return "Goodbye."
}

func clicksOnce(v visit) string {
	v.click()
	return looks(v)
}

// looks says whose session it is. A visitor who has lost it is a stranger.
func looks(v visit) string {
	if v.user() == "" {
		return stranger
	}
	if v.clicks() == 1 {
		return "ada, 1 click"
	}
	return fmt.Sprintf("ada, %d clicks", v.clicks())
}

const stranger = "a stranger"

// isAda says whether the answer was for ada.
func isAda(r Request) bool { return strings.HasPrefix(r.Says, "ada") }

// meeting lets requests go on together, once all of them are there.
type meeting struct {
	mu      sync.Mutex
	missing int
	open    chan struct{}
}

func newMeeting(n int) *meeting { return &meeting{missing: n, open: make(chan struct{})} }

// arrive counts one more, be it that it will never come.
func (m *meeting) arrive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.missing--; m.missing == 0 {
		close(m.open)
	}
}

// wait returns when the meeting is complete, or the time is up.
func (m *meeting) wait(ctx context.Context) {
	select {
	case <-m.open:
	case <-ctx.Done():
	}
}

// parallel is how many clicks there are at once.
const parallel = 40

func fortyClicks(s *stage) Outcome {
	ada := s.browser("Ada", desk)
	ada.signsIn()
	all := newMeeting(parallel)
	var sent sync.WaitGroup
	for range parallel {
		var came sync.Once
		send := ada.begins("clicks", func(v visit) string {
			came.Do(all.arrive)
			all.wait(s.ctx)
			v.click()
			return "clicked"
		})
		sent.Go(func() {
			send()
			came.Do(all.arrive) // it got no session, and the others must not wait for it
		})
	}
	sent.Wait()
	n := 0
	ada.does("looks at the counter", func(v visit) string {
		n = v.clicks()
		return looks(v)
	})
	return Outcome{n == parallel, fmt.Sprintf("%d of %d clicks survived.", n, parallel)}
}

// slow is a request that has read its session and does not go on until it is told to.
type slow struct {
	begun, ended chan struct{}
	proceed      chan struct{}
	answer       Request
}

// slowly sends a request, and returns when it has read its session, or has been answered without one.
func (b *browser) slowly(what string, p page) *slow {
	one := &slow{begun: make(chan struct{}), ended: make(chan struct{}), proceed: make(chan struct{})}
	send := b.begins(what, func(v visit) string {
		close(one.begun)
		select {
		case <-one.proceed:
		case <-b.stage.ctx.Done():
		}
		return p(v)
	})
	go func() {
		defer close(one.ended)
		one.answer = send()
	}()
	select {
	case <-one.begun:
	case <-one.ended:
	}
	return one
}

// goesOn lets the request end, and returns its answer.
func (s *slow) goesOn() Request {
	close(s.proceed)
	<-s.ended
	return s.answer
}

func signOutInTheMiddle(s *stage) Outcome {
	ada := s.browser("Ada", desk)
	ada.signsIn()
	report := ada.slowly("opens a slow page", func(v visit) string {
		v.read("the report")
		return "Here is the report."
	})
	thief := ada.copy("A thief with the copied cookie")
	ada.does("signs out", signsOut)
	report.goesOn()
	again := ada.does("opens the next page", looks)
	stolen := thief.does("opens a page", looks)
	if isAda(again) || isAda(stolen) {
		return Outcome{false, "The slow page brought the session back: Ada has signed out and is signed in."}
	}
	return Outcome{true, "The slow page was refused, and Ada stays signed out."}
}

func outage(s *stage) Outcome {
	ada := s.browser("Ada", desk)
	ada.signsIn()
	ada.does("clicks", clicksOnce)
	s.gate.turn(false)
	ada.does("opens a page while the store is off", looks)
	s.gate.turnOnAfter(1)
	ada.does("clicks; the store is back before the request ends", clicksOnce)
	s.gate.turn(true)
	if isAda(ada.does("opens a page when the store is on", looks)) {
		return Outcome{true, "Ada was asked to come back in a moment, and is still signed in."}
	}
	return Outcome{false, "Ada was taken for a stranger, got a new cookie, and has lost her session."}
}

func copiedTicket(s *stage) Outcome {
	ada := s.browser("Ada", desk)
	ada.signsIn()
	thief := ada.copy("A thief with the copied cookie")
	inFlight := ada.copy("Ada, in another tab").slowly("opens a slow page", clicksOnce)
	s.clock.advance(renewEvery + time.Minute)
	moment := ada.copy("Ada, in a third tab")
	ada.does("opens a page, which renews the id", func(v visit) string {
		v.renew()
		return looks(v)
	})
	s.clock.advance(renewGrace / 3)
	late := moment.does("opens a page at the same moment, with the old cookie", looks)
	inFlight.goesOn()
	s.clock.advance(2 * time.Minute)
	stolen := thief.does("opens a page two minutes later", looks)
	still := ada.does("opens a page", looks)
	switch {
	case isAda(stolen):
		return Outcome{false, "The thief is signed in as Ada with the old cookie."}
	case !isAda(late) || !isAda(still):
		return Outcome{false, "The renewal signed Ada out."}
	}
	return Outcome{true, "Every tab of Ada's went on, and the old ticket opens nothing."}
}

func stolenCookies(s *stage) Outcome {
	if o, ok := s.way.(*ours); ok {
		s.err = o.bind()
	}
	ada := s.browser("Ada", desk).withKeys()
	ada.signsIn()
	thief := ada.copy("A thief with all her cookies")
	thief.does("opens a page at once", looks)
	s.clock.advance(boundFor + 2*time.Minute)
	stolen := thief.does("opens a page twelve minutes later", looks)
	if !isAda(ada.does("opens a page twelve minutes later", looks)) {
		return Outcome{false, "Ada was signed out."}
	}
	if isAda(stolen) {
		return Outcome{false, "The thief is signed in as Ada, for as long as she is."}
	}
	return Outcome{true, "Ada's browser showed its key. The thief has none, and her cookies open nothing."}
}

func newRelease(s *stage) Outcome {
	opens := func(v visit) string {
		if v.user() == "" {
			return stranger
		}
		return "ada, with " + v.cart()
	}
	ada := s.browser("Ada", desk)
	ada.signsIn()
	ada.does("puts two coats into her cart", func(v visit) string {
		v.fill(counts{"coat": 2})
		return opens(v)
	})
	s.deploy(2)
	after := ada.does("opens a page of the new release", opens)
	ada.does("clicks in the new release", clicksOnce)
	s.deploy(1)
	back := ada.does("opens a page of the old release again", opens)
	switch {
	case !isAda(after) || !isAda(back):
		return Outcome{false, "The release signed Ada out."}
	case !strings.Contains(back.Says, "the cart"):
		return Outcome{false, "The release lost Ada's cart."}
	}
	return Outcome{true, "Ada stayed signed in without her cart, and has it back."}
}

func threeDevices(s *stage) Outcome {
	computer, mobile := s.browser("Ada's computer", desk), s.browser("Ada's phone", phone)
	for _, b := range []*browser{computer, mobile, s.browser("Ada's tablet", tablet)} {
		b.signsIn()
	}
	found := 0
	computer.does("lists the devices", func(v visit) string {
		names, err := v.devices()
		if err != nil {
			return explain(err)
		}
		found = len(names)
		slices.Sort(names)
		return strings.Join(names, ", ")
	})
	computer.does("ends the session on the phone", func(v visit) string {
		if err := v.endDevice("Safari on iPhone"); err != nil {
			return explain(err)
		}
		return "It has ended."
	})
	if still := mobile.does("opens a page", looks); isAda(still) || found != 3 {
		return Outcome{false, fmt.Sprintf("%d of 3 devices were found, and the phone is still signed in.", found)}
	}
	return Outcome{true, "Three devices were found, and the phone is signed out."}
}

// explain says why a page has no answer.
func explain(err error) string {
	if errors.Is(err, errCannot) {
		return "This way of keeping sessions finds one by its id alone, and cannot say which belong to a user."
	}
	return "The list cannot be had."
}
