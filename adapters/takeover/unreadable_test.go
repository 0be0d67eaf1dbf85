package takeover_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
)

// forgotten writes the name of a type that no program knows, as one that is not registered any more.
type forgotten struct{ securecookie.GobEncoder }

func (f forgotten) Serialize(v any) ([]byte, error) {
	text, err := f.GobEncoder.Serialize(v)
	return bytes.ReplaceAll(text, []byte("takeover_test.cart"), []byte("takeover_test.gone")), err
}

// keys are those of a site that has a new one. The old one has made all its sessions.
func keys() (codecs []securecookie.Codec) {
	old := securecookie.New([]byte("0123456789abcdef"), nil).SetSerializer(forgotten{})
	return append(securecookie.CodecsFromPairs([]byte("fedcba9876543210")), old)
}

// The stores of gorilla decode through securecookie, whose error has one of each key.
func TestASessionOfGorillaThatDoesNotDecodeIsReported(t *testing.T) {
	files, cookies := sessions.NewFilesystemStore(t.TempDir()), sessions.NewCookieStore()
	for name, c := range map[string]struct {
		store  sessions.Store
		codecs *[]securecookie.Codec
	}{"files": {files, &files.Codecs}, "cookies": {cookies, &cookies.Codecs}} {
		t.Run(name, func(t *testing.T) {
			var told []error
			*c.codecs = keys()[1:]
			old := gorillaSite(t, c.store)
			s := open(t, old, 1, takeover.Options{}, func(o *session.Options) {
				o.OnEvent = func(_ context.Context, e session.Event) { told = append(told, e.Err) }
			})
			cookie := old.signIn("ada")
			*c.codecs = keys()
			s.wantNobody(cookie)
			if len(told) != 1 || !strings.Contains(told[0].Error(), "takeover_test.gone") {
				t.Errorf("told %v, want that the type is not registered", told)
			}
			told = nil
			for _, forged := range []string{"forged", "", respelled(cookie.Value[:20]), cookie.Value[1:] + "A", "%"} {
				s.wantNobody(&http.Cookie{Name: "old", Value: forged})
			}
			if len(told) != 0 {
				t.Errorf("told of forged cookies: %v", told)
			}
		})
	}
}

func (s *newSite) wantNobody(cookie *http.Cookie) {
	s.Helper()
	if body, set := s.ask(0, "/", cookie); body != nobody || len(set) != 0 {
		s.Errorf("%q with the cookies %v", body, set)
	}
}
