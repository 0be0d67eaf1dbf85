package respond_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/session/internal/respond"
)

// request stores what a handler did before the handler's first byte leaves.
type request struct {
	context.Context
	header http.Header
	stored bool
}

func (r *request) Open() error {
	if !r.stored {
		r.stored = true
		r.header.Set("Set-Cookie", "session=ticket")
		fmt.Println("stored")
	}
	return nil
}

func (r *request) Refused() bool { return false }

func ExampleForHandler() {
	handler := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints) // which says nothing of the response yet
		fmt.Println("the handler does its work")
		fmt.Fprint(w, "a page ")
		fmt.Fprint(w, "in two parts")
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	response := respond.Writer{W: w, Gate: &request{Context: r.Context(), header: w.Header()}}
	handler(respond.ForHandler(&response), r)
	fmt.Println(w.Header().Get("Set-Cookie"), "before", w.Body)
	// Output:
	// the handler does its work
	// stored
	// session=ticket before a page in two parts
}
