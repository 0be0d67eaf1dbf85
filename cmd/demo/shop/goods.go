package shop

import (
	"fmt"
	"slices"
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
