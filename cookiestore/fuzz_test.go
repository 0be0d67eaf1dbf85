package cookiestore_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// FuzzCookieHeader sends any Cookie header: it opens nothing that was not sealed here, and the answer is never an
// error.
func FuzzCookieHeader(f *testing.F) {
	store, _ := cookiestore.New(cookiestore.Options{MaxChunks: 3})
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1,
		Cookie: session.Cookie{Name: "s"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range []string{
		"s=e1.AAAA", "s=2.e1.AAAA; s.1=AAAA", "s=3.; s.1=; s.2=", "s=9.x", "s=0.", "s=2", "s=.", "s=2.a; s.1=b; s.1=c",
		"s=999999.x",
		"s=e1." + strings.Repeat("A", 5000), "s=2." + strings.Repeat("A", 4090) + "; s.1=" + strings.Repeat("A", 4095),
		"s", "", ";;;=", "s=e1.\r\nAAAA",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", line)
		w := httptest.NewRecorder()
		m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			if !s.IsNew() || s.User() != "" || len(s.All()) > 0 {
				t.Errorf("%q opens a session", line)
			}
		}).ServeHTTP(w, r)
		if w.Code != 200 || len(w.Result().Cookies()) != 0 {
			t.Errorf("status %d, cookies %v", w.Code, w.Result().Cookies())
		}
	})
}

// FuzzUnpack gives any bytes to be unpacked: never more than the limit comes out, and what was packed comes back.
func FuzzUnpack(f *testing.F) {
	store, _ := cookiestore.New(cookiestore.Options{Compress: true})
	for _, data := range [][]byte{nil, {0xff}, {0xff, 0, 0}, {1}, []byte(strings.Repeat("tea ", 50)),
		store.Pack(make([]byte, 100_000)), store.Pack([]byte(strings.Repeat("tea ", 50)))} {
		f.Add(data)
	}
	const limit = 10_000
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := store.Unpack(data, limit); err == nil && len(got) > max(limit, len(data)) ||
			err != nil && got != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if len(data) > limit || len(data) > 0 && data[0] == 0xff {
			return // no record begins so
		}
		if got, err := store.Unpack(store.Pack(data), limit); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes come back as %d, %v", len(data), len(got), err)
		}
	})
}
