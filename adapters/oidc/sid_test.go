package oidcsession_test

import (
	"net/http"
	"strings"
	"testing"

	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

func TestASidIsAnyText(t *testing.T) {
	p, one, two := pair(t)
	sids := []string{"\x00", "\x00\x00", " ", "sid", "sid ", "SID", `"`, `\`, "sid\nsid", "é", "e\u0301", "\u202e",
		"sub",
		strings.Repeat("x", 10<<10), strings.Repeat("x", 10<<10) + "y"}
	browsers := make([]*browser, len(sids))
	for i, sid := range sids {
		browsers[i] = newBrowser(t)
		browsers[i].signIn(one, "ada", sid)
	}
	for i, sid := range sids {
		two.logsOut(p.logoutToken(t, "", sid))
		for j, b := range browsers {
			if want := map[bool]string{true: ended, false: "ada|"}[j <= i]; j >= i {
				b.is(one, want)
			}
		}
	}
}

func TestTheSidOfAnotherProviderIsAnotherSid(t *testing.T) {
	store := memstore.New(memstore.Options{})
	company, school := newProvider(t), newProvider(t)
	school.keys = nil
	school.rotate(t)
	one := newNode(t, company, store, oidcsession.Options{})
	two := newNode(t, school, store, oidcsession.Options{})
	desk, laptop := newBrowser(t), newBrowser(t)
	desk.signIn(one, "ada", "sid 1")
	laptop.signIn(two, "ada", "sid 1")
	for _, by := range [][2]string{{"", "sid 1"}, {"ada", ""}} {
		one.logsOut(company.logoutToken(t, by[0], by[1]))
	}
	desk.is(two, ended)
	laptop.is(one, "ada|")
	claims := company.logoutClaims("ada", "sid 1").with(object{"jti": "same", "iss": school.URL})
	if status, _ := two.logout(company.sign(t, "logout+jwt", claims)); status != http.StatusBadRequest {
		t.Errorf("a token that one provider signs for another: %d, want 400", status)
	}
	one.logsOut(company.sign(t, "logout+jwt", claims.with(object{"iss": company.URL})))
	two.logsOut(school.sign(t, "logout+jwt", claims)) // with the jti of another provider
	laptop.is(one, ended)
}
