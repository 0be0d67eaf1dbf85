package browser

import (
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Serve starts the site that app makes for a manager on a new store, and returns its address. change sets options of
// the manager. stop ends both.
func Serve(app func(*session.Manager) (http.Handler, error),
	change ...func(*session.Options)) (address string, stop func(), err error) {
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}, Cookie: session.Cookie{Insecure: true},
		SweepEvery: -1}
	for _, c := range change {
		c(&opts)
	}
	sessions, err := session.New(memstore.New(memstore.Options{}), opts)
	if err != nil {
		return "", nil, err
	}
	site, err := app(sessions)
	if err != nil {
		return "", nil, err
	}
	server := httptest.NewServer(site)
	return server.URL, func() {
		server.CloseClientConnections()
		server.Close()
		_ = sessions.Close() // which has no error
	}, nil
}
