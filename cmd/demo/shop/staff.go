package shop

import (
	"cmp"
	"net/http"
	"slices"
	"sync"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

const (
	// staffRole opens the page of the staff.
	staffRole = "staff"
	// firstStaff is who has the role from the beginning.
	firstStaff = "admin"
	// maxPeople is how many sessions the page of the staff looks through.
	maxPeople = 200
)

// staff is the table of users that a real site has: who gets the role at the next sign-in. It is forgotten when the
// process ends.
type staff struct {
	mu    sync.Mutex
	names map[string]bool
}

func newStaff() *staff { return &staff{names: map[string]bool{firstStaff: true}} }

func (s *staff) has(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[user]
}

func (s *staff) set(user string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[user] = on
}

// enroll gives the session of a user what the user has.
func (s *staff) enroll(sess *session.Session, user string) {
	if s.has(user) {
		guard.Roles.Set(sess, []string{staffRole})
		return
	}
	guard.Roles.Remove(sess)
}

// mayManage reports whether the page of the staff is open to the session.
func mayManage(sess *session.Session) bool {
	return slices.Contains(guard.Roles.Or(sess, nil), staffRole)
}

// person is a line on the page of the staff.
type person struct {
	User     string `json:"user"`
	Sessions int    `json:"sessions"`
	Staff    bool   `json:"staff"`
}

// showStaff shows who is signed in, and who belongs to the staff.
func (s *Site) showStaff(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	people, err := s.people(r)
	if err != nil {
		return err
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, people)
		return nil
	}
	return writePage(w, r, http.StatusOK, "staff", staffView{frame: s.frame(r, sess, "Staff"), People: people,
		First: firstStaff})
}

func (s *Site) people(r *http.Request) ([]person, error) {
	count, seen := map[string]int{}, 0
	for info, err := range s.sessions.All(r.Context()) {
		if err != nil {
			return nil, err
		}
		if seen++; seen > maxPeople {
			break
		}
		if info.User != "" {
			count[info.User]++
		}
	}
	people := []person{}
	for user, n := range count {
		people = append(people, person{user, n, s.staff.has(user)})
	}
	slices.SortFunc(people, func(a, b person) int { return cmp.Compare(a.User, b.User) })
	return people, nil
}

// changeStaff gives a user the role, or takes it away. That holds at once in all sessions of the user.
func (s *Site) changeStaff(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	user, err := in.text("user", maxName)
	if err != nil {
		return err
	}
	on, err := in.checked("staff")
	if err != nil {
		return err
	}
	if user == sess.User() {
		return wrongField("user", "you cannot change your own role.")
	}
	s.staff.set(user, on)
	if _, err := s.sessions.UpdateUser(r.Context(), user, func(other *session.Session) error {
		s.staff.enroll(other, user)
		return nil
	}); err != nil {
		return err
	}
	message := user + " belongs to the staff."
	if !on {
		message = user + " no longer belongs to the staff."
	}
	return s.done(w, r, sess, "/staff", message)
}
