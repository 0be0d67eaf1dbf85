package respond

import "net/http"

// HandBack gives a request what was made of an upload in a copy of it: the server removes the files of the request that
// it knows, and of no copy.
func HandBack(r, own *http.Request) {
	if r.MultipartForm == nil && own.MultipartForm != nil {
		r.MultipartForm = own.MultipartForm
	}
}

// Pass calls a handler with a copy of a request, and then the functions, if it returned. It hands back what they made
// of an upload. After a panic nobody needs that any more, and over HTTP/1 the server removes none, so that it goes at
// once.
func Pass(next http.Handler, w http.ResponseWriter, r, own *http.Request, then ...func()) {
	returned := false
	defer func() {
		if !returned && r.MultipartForm == nil && own.MultipartForm != nil {
			_ = own.MultipartForm.RemoveAll()
			return
		}
		HandBack(r, own)
	}()
	next.ServeHTTP(w, own)
	for _, fn := range then {
		fn()
	}
	returned = true
}
