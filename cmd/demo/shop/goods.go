package shop

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/coatcheck/session"
)

// product is something that the shop sells.
type product struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
	Cents int    `json:"cents"`
}

// goods is what there is, in the order of the page.
var goods = []product{
	{"coat", "Winter coat", "Wool, down to the knee.", 18900},
	{"hat", "Felt hat", "Keeps its shape in the rain.", 4900},
	{"scarf", "Red scarf", "Two metres of lambswool.", 3500},
	{"umbrella", "Umbrella", "Opens with one hand.", 2750},
	{"hanger", "Coat hanger", "Beech, with a round shoulder.", 450},
	{"brush", "Clothes brush", "Boar bristle.", 1600},
}

// find returns the product with an id.
func find(id string) (product, bool) {
	i := slices.IndexFunc(goods, func(p product) bool { return p.ID == id })
	if i < 0 {
		return product{}, false
	}
	return goods[i], true
}

// price writes cents as people read them.
func price(cents int) string { return fmt.Sprintf("€ %d.%02d", cents/100, cents%100) }

// showShop shows the goods, the notes and the session.
func (s *Site) showShop(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	return s.showShopWith(w, r, sess, http.StatusOK, mistake{})
}

// showShopWith shows them with what was typed wrong.
func (s *Site) showShopWith(w http.ResponseWriter, r *http.Request, sess *session.Session, status int,
	m mistake) error {
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, stateOf(sess))
		return nil
	}
	f := s.frame(r, sess, "Shop")
	return writePage(w, r, status, "shop", shopView{
		frame: f, Goods: goods, Notes: notes.Or(sess, nil), ID: sess.ID(), Login: sess.LoginAt(),
		Expires: sess.ExpiresAt(), MaxNote: maxNote, SignIn: f.signIn(sess, ""), Mistake: m,
	})
}
