// A shopping cart that loses nothing, from however many tabs it is filled.
//
//	go run ./examples/cart
package main

import (
	"html/template"
	"log"
	"net/http"
	"slices"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// goods are what the shop has.
var goods = []string{"coat", "hat", "scarf"}

// cart counts what is in it.
const cart = session.Key[map[string]int]("cart")

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Cart</title>
<h1>Your cart</h1>
<ul>{{range $name, $n := .Cart}}<li>{{$n}} × {{$name}}</li>{{end}}</ul>
<form method="post" action="/add">{{range .Goods}}<button name="item" value="{{.}}">Add a {{.}}</button> {{end}}</form>
<form method="post" action="/empty"><button>Empty the cart</button></form>
`))

// app is the shop.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		if err := page.Execute(w, map[string]any{"Cart": cart.Or(s, nil), "Goods": goods}); err != nil {
			log.Print(err)
		}
	}))
	mux.Handle("POST /add", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		item := r.PostFormValue("item")
		if !slices.Contains(goods, item) {
			http.Error(w, "We do not have that.", http.StatusBadRequest)
			return
		}
		// Not Get, change and Set: an update is repeated when another request was faster.
		cart.Update(s, func(c map[string]int) map[string]int {
			if c == nil {
				c = map[string]int{}
			}
			c[item]++
			return c
		})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.Handle("POST /empty", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		cart.Remove(s)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	return g.CSRF(mux), nil
}

func main() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Cookie:  session.Cookie{Insecure: true}, // only because this program speaks plain HTTP
	})
	if err != nil {
		log.Fatal(err)
	}
	shop, err := app(sessions)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", shop))
}
