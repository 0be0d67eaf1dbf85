package explore

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// challenge is what can be answered once, such as that of a passkey. It goes with the next Login.
const challenge = session.Key[string](envelope.LoginPrefix + "challenge")

const challengeLasts = 5 * time.Minute

// gift is among the data of the desk, and stays with them.
const gift = session.Key[string]("gift")

const theGift = "the gift"

// deedsOfChallenges take a challenge, and then show a factor or sign in, as package passkey does; that of a stranger
// waits in a session of its own. Others take a value of the application, in each way in which a sign-in can be about.
func deedsOfChallenges() []deed {
	return []deed{
		{name: "answer", moves: true, uses: "the challenge", do: func(a *act) {
			if a.take(a.s, challenge) {
				a.confirm(a.s)
			}
		}},
		{name: "answer as a stranger", by: stranger, uses: "the challenge of a stranger", signs: "ada",
			do: (*act).answer},
		{name: "take", uses: theGift, do: func(a *act) { a.take(a.s, gift) }},
		{name: "take, then logout", uses: theGift, ends: desk, do: func(a *act) {
			if a.take(a.s, gift) {
				a.s.Logout()
			}
		}},
		{name: "login, then take", uses: theGift, moves: true, signs: "ada", do: func(a *act) {
			a.s.Login("ada")
			a.take(a.s, gift)
		}},
		{name: "take and login", uses: theGift, moves: true, signs: "ada", do: func(a *act) {
			a.takeAnd(func(s *session.Session) { s.Login("ada") })
		}},
	}
}

// take takes a value away from a session, so that no other request has it.
func (a *act) take(s *session.Session, key session.Key[string]) bool {
	return a.taken(s.Atomic(a.r.Context(), func(s *session.Session) error {
		if _, ok := key.Pop(s); !ok {
			return errTaken
		}
		return nil
	}))
}

// takeAnd does something else in the same function, if the gift is there.
func (a *act) takeAnd(fn func(*session.Session)) {
	a.taken(a.s.Atomic(a.r.Context(), func(s *session.Session) error {
		if _, ok := gift.Pop(s); !ok {
			return errTaken
		}
		fn(s)
		return nil
	}))
}

func (a *act) taken(err error) bool {
	switch {
	case err == nil:
		a.passed = true
	case errors.Is(err, errTaken):
		a.failed = true
		http.Error(a.w, err.Error(), http.StatusConflict)
	default:
		a.fail(err)
	}
	return a.passed
}

var errTaken = errors.New("explore: another request has it")

// answer signs ada in by the challenge of a stranger.
func (a *act) answer() {
	apart, err := a.m.Open(a.r.Context(), a.sc.challenge)
	if err != nil {
		a.fail(err)
		return
	}
	if a.take(apart, challenge) {
		a.tickets = append(a.tickets, apart.Token()) // which its cookie has
		a.begin(a.s)
	}
}

// askStranger has a challenge wait for a stranger, if there is one to answer it.
func (sc *scene) askStranger(ctx context.Context) error {
	if !sc.any(func(a *act) bool { return a.uses != "" && a.by == stranger }) {
		return nil
	}
	s, err := sc.nodes[0].m.Open(ctx, "")
	if err != nil {
		return err
	}
	challenge.Set(s, "?")
	s.SetDeadline(sc.now.Add(challengeLasts))
	err = s.Save(ctx)
	sc.challenge = s.Token()
	return err
}
