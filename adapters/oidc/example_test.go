package oidcsession_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

// A person signs in by a provider, and signs out there. The provider tells the site, and the session has ended.
func Example() {
	// The provider, which elsewhere is somebody else's.
	about := &oidctest.Server{PublicKeys: []oidctest.PublicKey{
		{PublicKey: rsaKey().Public(), KeyID: "key", Algorithm: oidc.RS256},
	}}
	idp := httptest.NewServer(about)
	defer idp.Close()
	about.SetIssuer(idp.URL)
	sign := func(claims map[string]any) string {
		claims["iss"], claims["aud"], claims["sub"], claims["sid"] = idp.URL, "shop", "1234", "a5f0"
		claims["iat"], claims["exp"] = time.Now().Unix(), time.Now().Add(2*time.Minute).Unix()
		text, _ := json.Marshal(claims)
		return oidctest.SignIDToken(rsaKey(), "key", oidc.RS256, string(text))
	}

	// The site.
	store := memstore.New(memstore.Options{})
	sessions, err := session.New(store, session.Options{
		Secrets: []session.Secret{session.NewSecret()}, Cookie: session.Cookie{Insecure: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	provider, err := oidc.NewProvider(context.Background(), idp.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	links, err := oidcsession.New(sessions, store, provider, "shop", oidcsession.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens := provider.Verifier(&oidc.Config{ClientID: "shop"})
	mux := http.NewServeMux()
	mux.Handle("/callback", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		token, err := tokens.Verify(r.Context(), r.FormValue("id_token"))
		if err == nil {
			err = links.Login(r.Context(), s, "ada", token)
		}
		if err != nil {
			http.Error(w, "Please sign in again.", http.StatusForbidden)
		}
	}))
	mux.Handle("/", sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		fmt.Printf("user %q, ended by %q\n", s.User(), s.EndedBy())
	}))
	mux.Handle("/backchannel-logout", links.Logout())
	site := httptest.NewServer(mux)
	defer site.Close()

	jar, _ := cookiejar.New(nil)
	browser := http.Client{Jar: jar}
	call := func(client *http.Client, path string, form url.Values) {
		resp, err := client.PostForm(site.URL+path, form)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = resp.Body.Close()
	}
	call(&browser, "/callback", url.Values{"id_token": {sign(map[string]any{})}})
	call(&browser, "/", nil)
	call(http.DefaultClient, "/backchannel-logout", url.Values{"logout_token": {sign(map[string]any{
		"jti": "b7c1", "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	})}})
	call(&browser, "/", nil)
	// Output:
	// user "ada", ended by ""
	// user "", ended by "provider"
}
