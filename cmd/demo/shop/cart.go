package shop

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/coatcheck/session"
)

// maxCount is how many pieces of one product fit into a cart.
const maxCount = 99

// What a session holds of the shop.
const (
	cart   = session.Key[map[string]int]("cart") // how many pieces, by product
	orders = session.Key[[]order]("orders")      // the last ones
	placed = session.Key[int]("placed")          // how many there were
)

// maxOrders is how many orders a session remembers.
const maxOrders = 5

// line is a product in a cart or an order.
type line struct {
	Product string `json:"product"`
	Count   int    `json:"count"`
	Cents   int    `json:"cents"` // for all of them
}

// Name is what people call the product.
func (l line) Name() string {
	p, _ := find(l.Product)
	return p.Name
}

// order is what was bought.
type order struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	Lines  []line    `json:"lines"`
	Cents  int       `json:"cents"`
}

// lines are a cart in the order of the goods, with what they cost together.
func lines(counts map[string]int) (list []line, cents int) {
	list = []line{}
	for _, p := range goods {
		if n := counts[p.ID]; n > 0 {
			list = append(list, line{p.ID, n, n * p.Cents})
			cents += n * p.Cents
		}
	}
	return list, cents
}

// pieces is how many things are in the cart.
func pieces(sess *session.Session) (n int) {
	for _, count := range cart.Or(sess, nil) {
		n += count
	}
	return n
}

// change replaces the number of pieces of a product. It is an update, which is repeated on the newest state when
// another request was faster: of two tabs that add at the same time, both do.
func change(sess *session.Session, id string, fn func(n int) int) {
	cart.Update(sess, func(counts map[string]int) map[string]int {
		counts = maps.Clone(counts)
		if counts == nil {
			counts = map[string]int{}
		}
		if counts[id] = min(fn(counts[id]), maxCount); counts[id] == 0 {
			delete(counts, id)
		}
		return counts
	})
}

// fillCart adds a piece of a product, or sets how many there are. It needs nobody signed in: the cart is
// kept by a later sign-in.
func (s *Site) fillCart(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	p, ok := find(in["product"])
	if !ok {
		return wrongField("product", "there is no such product.")
	}
	count, set := in["count"]
	if !set {
		change(sess, p.ID, func(n int) int { return n + 1 })
		return s.done(w, r, sess, "/shop", p.Name+" is in your cart.")
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > maxCount {
		err := wrongField("count", "must be a number from 0 to %d.", maxCount)
		if m, ok := mistakeOf(r, in, err); ok {
			return s.showCartWith(w, r, sess, http.StatusUnprocessableEntity, p.ID, m)
		}
		return err
	}
	change(sess, p.ID, func(int) int { return n })
	return s.done(w, r, sess, "/cart", "Your cart is up to date.")
}

// showCart shows what is in the cart, and what was ordered.
func (s *Site) showCart(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	return s.showCartWith(w, r, sess, http.StatusOK, "", mistake{})
}

// showCartWith shows them with what was typed wrong at a product.
func (s *Site) showCartWith(w http.ResponseWriter, r *http.Request, sess *session.Session, status int, product string,
	m mistake) error {
	list, cents := lines(cart.Or(sess, nil))
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, map[string]any{"lines": list, "cents": cents})
		return nil
	}
	return writePage(w, r, status, "cart", cartView{
		frame: s.frame(r, sess, "Your cart"), Lines: list, Cents: cents, Orders: orders.Or(sess, nil),
		MaxCount: maxCount, Wrong: product, Mistake: m,
	})
}

// checkOut makes the cart an order. That happens on the newest state and as a whole: of two tabs that check out at the
// same time one orders, and the other is told that the cart is empty.
func (s *Site) checkOut(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if _, err := read(r); err != nil {
		return err
	}
	err := sess.Atomic(r.Context(), func(sess *session.Session) error {
		list, cents := lines(cart.Or(sess, nil))
		if len(list) == 0 {
			return wrong("Your cart is empty. It may have been ordered in another tab.")
		}
		placed.Update(sess, func(n int) int { return n + 1 })
		made := order{Number: placed.Or(sess, 0), At: s.sessions.Now(), Lines: list, Cents: cents}
		kept := append([]order{made}, orders.Or(sess, nil)...)
		orders.Set(sess, kept[:min(len(kept), maxOrders)])
		cart.Remove(sess)
		return sess.Err()
	})
	if err != nil {
		return err
	}
	return s.done(w, r, sess, "/cart", "Thank you for your order.")
}
