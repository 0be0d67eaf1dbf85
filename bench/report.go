//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// The measured part of the page stands between these lines.
const (
	beginMark = "<!-- measured: begin -->\n"
	endMark   = "<!-- measured: end -->\n"
)

// write puts the results into the page and draws the pictures.
func (r *results) write(o options) error {
	text := r.text(o.images != "")
	if o.images != "" {
		if err := r.draw(o.images); err != nil {
			return err
		}
	}
	if o.page == "" {
		_, err := io.WriteString(os.Stdout, text)
		return err
	}
	page, err := os.ReadFile(o.page)
	if err != nil {
		return err
	}
	changed, err := replaced(page, text)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(o.page), err)
	}
	return os.WriteFile(o.page, changed, 0o644)
}

// replaced returns the page with another measured part.
func replaced(page []byte, text string) ([]byte, error) {
	before, rest, ok := bytes.Cut(page, []byte(beginMark))
	_, after, ended := bytes.Cut(rest, []byte(endMark))
	if !ok || !ended {
		return nil, errors.New("the marks of the measured part are missing")
	}
	return slices.Concat(before, []byte(beginMark), []byte(text), []byte(endMark), after), nil
}

func (r *results) text(pictures bool) string {
	var b strings.Builder
	r.head(&b)
	r.comparisonText(&b)
	for _, store := range stores {
		r.storeText(&b, store)
	}
	r.httpText(&b)
	r.tripsText(&b)
	r.conductText(&b)
	if pictures {
		picturesText(&b)
	}
	r.targetsText(&b)
	return b.String()
}

func (r *results) head(w io.Writer) {
	fmt.Fprintf(w, "\nMeasured in one run with %s on %d cores, %d rounds; each figure is the median. The libraries "+
		"that have a store take\nturns of a few milliseconds, in SQLite of a tenth of a second, so that whatever "+
		"else the machine does slows all of them; each\ncollects its garbage in its own turn. A server has a "+
		"processor of its own, as on another machine, and the program has the rest. The unit is the bare\nhandler, "+
		"which takes %.2f µs in the process and %.0f µs over HTTP. No site can be faster than that; parsing a "+
		"cookie and\nchecking its HMAC alone takes "+
		"%s times as long.\n\n", runtime.Version(), runtime.NumCPU(), r.rounds, r.bare()/1000,
		r.ns(bareHandler, inMemory, "over HTTP")/1000, ratio(r.ns(signedCookie, "", "in the process")/r.bare()))
	fmt.Fprintf(w, "The others: %s.\n", strings.Join(versions(), ", "))
}

// comparisonText is how many times less time our libraries need than each other one with its fastest store.
func (r *results) comparisonText(w io.Writer) {
	fmt.Fprint(w, "\n### Beside each other library\n\nHow many times faster a request is here than with each other "+
		"library that has such a store, counting the time beyond\nthe bare handler. If the other library has several "+
		"such stores, its fastest counts. Below 1 the other library is faster.\n")
	head := []string{"store", "ours", "beside"}
	for _, sc := range scenarios {
		head = append(head, sc.name)
	}
	var rows [][]string
	for _, store := range stores {
		for _, l := range librariesOn(store) {
			if l.ours {
				rows = append(rows, r.beside(l, head[3:])...)
			}
		}
	}
	table(w, head, rows)
}

// beside has a row for each of the others that are on the store.
func (r *results) beside(ours library, scenarios []string) (rows [][]string) {
	for _, other := range otherNames(ours.store) {
		row := []string{ours.store, ours.String(), other}
		for _, what := range scenarios {
			text := "–"
			if x := r.faster(ours.String(), ours.store, what, other); x > 0 && !math.IsInf(x, 0) {
				text = ratio(x)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return rows
}

// otherNames are the libraries of others on a store, each once.
func otherNames(store string) (names []string) {
	for _, l := range librariesOn(store) {
		if !l.ours && !slices.Contains(names, l.name) {
			names = append(names, l.name)
		}
	}
	return names
}

func (r *results) bare() float64 { return r.ns(bareHandler, "", "in the process") }

// others are the modules whose versions are told.
var others = []string{
	"github.com/alexedwards/scs/v2", "github.com/boj/redistore", "github.com/gin-contrib/sessions",
	"github.com/gin-gonic/gin",
	"github.com/gofiber/fiber/v3", "github.com/gorilla/sessions",
}

// versions lists the libraries that were linked.
func versions() (list []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, m := range info.Deps {
		if slices.Contains(others, m.Path) {
			list = append(list, strings.TrimPrefix(m.Path, "github.com/")+" "+m.Version)
		}
	}
	return list
}

// ratio writes a ratio with two or three digits.
func ratio(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}

// table writes a table of Markdown.
func table(w io.Writer, head []string, rows [][]string) {
	fmt.Fprintf(w, "\n| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
}

// storeText is the table of one store: time as a multiple of the bare handler, and allocations.
func (r *results) storeText(w io.Writer, store string) {
	head := []string{store}
	for _, sc := range scenarios {
		head = append(head, sc.name)
	}
	var rows [][]string
	names := libraryNames(store)
	if _, ok := r.median(figure{rawCommand, store, "read"}); ok {
		names = append(names, rawCommand)
	}
	for _, name := range names {
		row := []string{name}
		for _, sc := range scenarios {
			s, ok := r.median(figure{name, store, sc.name})
			if !ok {
				row = append(row, "–")
				continue
			}
			row = append(row, fmt.Sprintf("%s (%.0f)", ratio(s.ns/r.bare()), s.allocs))
		}
		rows = append(rows, row)
	}
	if store == stores[0] {
		fmt.Fprint(w, "\n### A request in the process\n\nTime in bare handlers, with the allocations in brackets. A "+
			"dash: not measured, because a large session does not fit into\na cookie. Raw commands read, read and "+
			"replace, and make a row, key or file of 400 bytes, with the least that a store\nneeds to lose no update, "+
			"to list and to sweep: they compare the version, and maintain the index by which expired sessions\nare "+
			"found. fiber gets requests of fasthttp, which is what it serves.\n")
	}
	table(w, head, rows)
}

func libraryNames(store string) (names []string) {
	for _, l := range librariesOn(store) {
		names = append(names, l.String())
	}
	return names
}

func librariesOn(store string) (list []library) {
	for _, l := range libraries() {
		if l.store == store {
			list = append(list, l)
		}
	}
	return list
}

func (r *results) httpText(w io.Writer) {
	fmt.Fprint(w, "\n### A request over HTTP\n\nTime in bare handlers over HTTP, one client on a connection that is "+
		"kept.\n")
	var rows [][]string
	for _, store := range stores {
		bare := r.ns(bareHandler, store, "over HTTP")
		for _, l := range librariesOn(store) {
			rows = append(rows, []string{store, l.String(),
				ratio(r.ns(l.String(), store, "read over HTTP") / bare),
				ratio(r.ns(l.String(), store, "write over HTTP") / bare)})
		}
	}
	table(w, []string{"store", "library", "read", "write"}, rows)
}

func (r *results) tripsText(w io.Writer) {
	fmt.Fprint(w, "\n### On the connection of the store\n\nRound trips and bytes of one request, both ways, counted "+
		"by a proxy that is as slow as a network.\n")
	kinds := []string{"untouched", "anonymous", "read", "write", "new"}
	var rows [][]string
	for _, store := range stores {
		for _, l := range librariesOn(store) {
			row := []string{store, l.String()}
			for _, kind := range kinds {
				if c, ok := r.trips[figure{l.String(), store, kind}]; ok {
					row = append(row, fmt.Sprintf("%s (%.0f B)", trimmed(c.trips), c.bytes))
				}
			}
			if len(row) > 2 {
				rows = append(rows, row)
			}
		}
	}
	table(w, append([]string{"store", "library"}, kinds...), rows)
}

// trimmed writes a number without zeros behind the point.
func trimmed(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", x), "0"), ".")
}

func (r *results) conductText(w io.Writer) {
	fmt.Fprintf(w, "\n### What survives\n\n%d clients of one browser change one session at the same time, %d times "+
		"each. The first two columns say how many of the\nchanges that were answered with success are there in the "+
		"end: of one counter, and of a key for each client. The third is\nhow many entries %d requests without a "+
		"cookie leave, and the last whether a ticket works again after a logout because\nanother request was under "+
		"way.\n", parallel, steps, strangers)
	var rows [][]string
	for _, store := range stores {
		for _, l := range librariesOn(store) {
			c := r.conduct[figure{l.String(), store, ""}]
			left := fmt.Sprint(c.strangers)
			if c.strangers < 0 {
				left = "–"
			}
			rows = append(rows, []string{store, l.String(), percent(c.counted), percent(c.keys), left,
				map[bool]string{true: "yes", false: "no"}[c.revived]})
		}
	}
	table(w, []string{"store", "library", "one counter", "own keys", "entries of strangers", "logged out works again"},
		rows)
}

func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }
