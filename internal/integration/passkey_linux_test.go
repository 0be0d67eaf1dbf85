package integration_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
)

// noAccounts are those of a site that has none, so that every answer is a wrong one.
type noAccounts struct{}

func (noAccounts) Account(context.Context, string) (passkey.Account, error) {
	return passkey.Account{}, passkey.ErrNoAccount
}

func (noAccounts) AccountOf(context.Context, []byte) (passkey.Account, error) {
	return passkey.Account{}, passkey.ErrNoAccount
}

func (noAccounts) Add(context.Context, string, webauthn.Credential) error {
	return passkey.ErrNoAccount
}
func (noAccounts) Update(context.Context, string, webauthn.Credential) error {
	return passkey.ErrNoAccount
}

// The first answer takes the challenge and is judged, on every store that two nodes may share. All others find none.
func TestOneAnswerOfManyIsJudgedOnTwoNodes(t *testing.T) {
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		var handlers [2]http.Handler
		for i := range handlers {
			opts := passkey.Options{Origins: []string{"https://app.example.com"}}
			m := node(t, unhurried(stores[i]), func(o *session.Options) { o.Logger = slog.New(slog.DiscardHandler) })
			p, err := passkey.New(m, noAccounts{}, opts)
			if err != nil {
				t.Fatal(err)
			}
			handlers[i] = p.SignIn()
		}
		began := postJSON(handlers[0], "/begin", "{}", nil)
		if began.Code != http.StatusOK {
			t.Fatalf("the beginning is answered %d: %s", began.Code, began.Body)
		}
		body, cookies := wrongAnswer(t, began.Body.Bytes()), began.Result().Cookies()
		var judged, gone atomic.Int32
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				switch postJSON(handlers[i%2], "/finish", body, cookies).Code {
				case http.StatusForbidden:
					judged.Add(1)
				case http.StatusConflict:
					gone.Add(1)
				}
			})
		}
		all.Wait()
		if judged.Load() != 1 || gone.Load() != 39 {
			t.Errorf("%d of 40 answers were judged and %d found no challenge, want 1 and 39",
				judged.Load(), gone.Load())
		}
	})
}

func postJSON(h http.Handler, path, body string, cookies []*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wrongAnswer is one to a challenge, signed by nobody.
func wrongAnswer(t *testing.T, options []byte) string {
	t.Helper()
	var asked struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &asked); err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	said := fmt.Sprintf(`{"type":"webauthn.get","challenge":%q,"origin":"https://app.example.com"}`,
		asked.PublicKey.Challenge)
	return fmt.Sprintf(`{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":%q,`+
		`"authenticatorData":%q,"signature":"AAAA","userHandle":"AAAA"}}`, b64([]byte(said)), b64(make([]byte, 37)))
}
