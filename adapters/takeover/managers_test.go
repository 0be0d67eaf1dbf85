package takeover_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
)

// otherManager is a node of a site that shares the store, and to which nobody of the old library is signed in.
func (s *newSite) otherManager(secret session.Secret) *httptest.Server {
	s.Helper()
	m, err := session.New(s.store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
		Cookie: session.Cookie{Name: "admin"}})
	if err != nil {
		s.Fatal(err)
	}
	nobodys := takeover.Options{User: func(map[string]any) string { return "" }}
	tk, err := takeover.New(m, s.source, nobodys)
	if err != nil {
		s.Fatal(err)
	}
	node := httptest.NewServer(tk.Middleware(m.Preload(http.HandlerFunc(page))))
	s.Cleanup(func() {
		node.Close()
		_ = m.Close() // which has no error
	})
	return node
}

func TestManagersShareWhatTheyTakeOverIfTheyShareTheirSecrets(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		for _, shared := range []bool{true, false} {
			s := open(t, old, 1, takeover.Options{})
			own := session.NewSecret()
			if shared {
				own = secret
			}
			s.nodes = append(s.nodes, s.otherManager(own))
			cookie := old.signIn("ada")
			s.ask(0, "/", cookie)
			body, _ := s.ask(1, "/", cookie)
			if signedIn := body == whole("ada"); signedIn != shared {
				t.Errorf("secrets shared: %v, and the other manager shows %q", shared, body)
			}
		}
	})
}
