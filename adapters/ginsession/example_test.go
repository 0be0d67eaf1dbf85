package ginsession_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/ginsession"
	"github.com/coatcheck/session/memstore"
)

func Example() {
	sessions, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()

	const visits = session.Key[int]("visits")
	engine := gin.New()
	engine.Use(gin.Recovery(), ginsession.Use(sessions))
	engine.GET("/", func(c *gin.Context) {
		s := ginsession.From(c)
		visits.Update(s, func(n int) int { return n + 1 })
		c.String(http.StatusOK, "visit %d", visits.Or(s, 0))
	})

	first := httptest.NewRecorder()
	engine.ServeHTTP(first, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(first.Body)

	again := httptest.NewRequest(http.MethodGet, "/", nil)
	again.AddCookie(first.Result().Cookies()[0])
	second := httptest.NewRecorder()
	engine.ServeHTTP(second, again)
	fmt.Println(second.Body)
	// Output:
	// visit 1
	// visit 2
}
