package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// A transfer is confirmed by a code: this one, once.
func ExampleGuard_Once() {
	sessions, g := newGuard(guard.Options{ConfirmPage: "/confirm"})
	defer sessions.Close()
	describe := func(r *http.Request) string { return "Send " + r.FormValue("sum") + " to " + r.FormValue("to") }
	transfer := g.Once("transfer", describe)(say("sent"))
	// What /confirm does with the form that it shows; rightCode is the application's.
	confirm := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		for _, op := range g.Asked(s) {
			fmt.Println("/confirm shows:", op.Text)
		}
		if !rightCode(s.User(), r.FormValue("code")) {
			http.Error(w, "That is not the code.", http.StatusForbidden)
			return
		}
		if err := g.Confirm(s, r.FormValue(guard.OperationParam), "otp"); err != nil {
			http.Error(w, "There is nothing to confirm.", http.StatusConflict)
		}
	})

	ada := login(sessions, "ada")
	post := func(h http.Handler, address string) *httptest.ResponseRecorder {
		w := ask(h, httptest.NewRequest("POST", address, nil), ada)
		if fresh := w.Result().Cookies(); len(fresh) > 0 {
			ada = fresh
		}
		return w
	}
	answer := post(transfer, "/transfer?to=bob&sum=100")
	fmt.Println(answer.Code)
	post(confirm, answer.Header().Get("Location")+"&code=123456")
	fmt.Print(post(transfer, "/transfer?to=bob&sum=100").Body)
	fmt.Println(post(transfer, "/transfer?to=bob&sum=100").Code)
	// Output:
	// 303
	// /confirm shows: Send 100 to bob
	// sent
	// 303
}

func rightCode(_, code string) bool { return code == "123456" }
