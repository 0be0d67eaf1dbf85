package respond

import "net/http"

// Pass calls a handler with a copy of a request, and then the functions, if it returned. It gives the request what they
// made of an upload: the server removes the files of the request that it knows, and of no copy. After a panic nobody
// needs them any more, and over HTTP/1 the server removes none, so that they go at once.
func Pass(next http.Handler, w http.ResponseWriter, r, own *http.Request, then ...func()) {
	returned := false
	defer func() {
		switch {
		case own.MultipartForm == nil || r.MultipartForm != nil:
		case returned:
			r.MultipartForm = own.MultipartForm
		default:
			_ = own.MultipartForm.RemoveAll()
		}
	}()
	next.ServeHTTP(w, own)
	for _, fn := range then {
		fn()
	}
	returned = true
}
