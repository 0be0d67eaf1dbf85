package guard

import (
	"fmt"
	"time"
)

// Words are the texts of the page of Sessions. Start from English and replace what differs: an empty text is missing on
// the page, and a nil function is the English one.
type Words struct {
	Lang  string // of the page, as in <html lang>
	Title string
	Intro string

	SignedInAs string // stands before the name of the user
	ThisDevice string
	LastSeen   string
	SignedIn   string
	Address    string
	Remembered string // of a session that outlives the browser
	Bound      string // of a session that a key binds to its device
	SignOut    string // ends this session
	End        string // ends another one
	EndOthers  string
	NoOthers   string // when there is no other
	Confirm    string // says that a recent sign-in is asked for
	SignIn     string // leads to the page to sign in again

	Device func(browser, system string) string      // either may be "": what is not known
	Ago    func(time.Duration) string               // how long ago, 0 or more
	Time   func(time.Time) string                   // in UTC: nobody knows the time zone of the reader
	Ended  func(sessions int, device string) string // confirms it; device is "" unless it was one that is known
}

// English returns the texts of the page in English.
func English() Words {
	return Words{
		Lang:  "en",
		Title: "Your devices",
		Intro: "This is where you are signed in. If you do not recognize a device, end its session and change your " +
			"password.",
		SignedInAs: "Signed in as",
		ThisDevice: "this device",
		LastSeen:   "Last seen",
		SignedIn:   "Signed in",
		Address:    "Address",
		Remembered: "Stays signed in when the browser is closed",
		Bound:      "Bound to its device by a key",
		SignOut:    "Sign out here",
		End:        "End this session",
		EndOthers:  "End all other sessions",
		NoOthers:   "You are not signed in anywhere else.",
		Confirm:    "Before you end another session, you sign in again.",
		SignIn:     "Sign in again",
		Device:     deviceName,
		Ago:        ago,
		Time:       func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		Ended:      ended,
	}
}

// whole puts the English functions into the place of those that are missing.
func (w Words) whole() Words {
	english := English()
	if w.Device == nil {
		w.Device = english.Device
	}
	if w.Ago == nil {
		w.Ago = english.Ago
	}
	if w.Time == nil {
		w.Time = english.Time
	}
	if w.Ended == nil {
		w.Ended = english.Ended
	}
	return w
}

// ago says how long ago something was, roughly, as people do.
func ago(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

func ended(sessions int, device string) string {
	switch {
	case sessions == 0:
		return "There was nothing left to end."
	case sessions == 1 && device != "":
		return "The session on this device has ended: " + device + "."
	case sessions == 1:
		return "1 session has ended."
	}
	return fmt.Sprintf("%d sessions have ended.", sessions)
}
