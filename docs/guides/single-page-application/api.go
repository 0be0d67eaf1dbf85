// Package spa is the API of docs/guides/single-page-application.md.
package spa

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// passwordIsRight is the application's.
func passwordIsRight(user, password string) bool { return user == "ada" && password == "correct horse" }

type credentials struct{ User, Password string }

// credentialsOf reads what a script sent. SignIn and the handler both use it, so they see the same account.
func credentialsOf(r *http.Request) (in credentials, err error) {
	err = json.NewDecoder(r.Body).Decode(&in)
	in.User = strings.ToLower(in.User)
	return in, err
}

func account(r *http.Request) string {
	in, _ := credentialsOf(r) // the handler answers what is wrong
	return in.User
}

func login(w http.ResponseWriter, r *http.Request, s *session.Session) {
	in, err := credentialsOf(r)
	if err != nil {
		http.Error(w, "Send a JSON object with user and password.", http.StatusBadRequest)
		return
	}
	if !passwordIsRight(in.User, in.Password) || s.TryLogin(in.User) != nil {
		http.Error(w, "That name and password do not match.", http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func me(w http.ResponseWriter, _ *http.Request, s *session.Session) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"user": s.User(), "expires": s.ExpiresAt()})
}

func logout(w http.ResponseWriter, _ *http.Request, s *session.Session) {
	s.Logout()
	w.WriteHeader(http.StatusNoContent)
}

func apiOf(sessions *session.Manager, g *guard.Guard) http.Handler {
	api := http.NewServeMux()
	api.Handle("POST /api/login", http.MaxBytesHandler(g.SignIn(account)(sessions.HandlerFunc(login)), 4096))
	api.Handle("GET /api/me", g.User(sessions.HandlerFunc(me)))
	api.Handle("POST /api/logout", sessions.HandlerFunc(logout))
	return sessions.Middleware(g.CSRF(api))
}
