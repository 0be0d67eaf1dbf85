//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
)

// target is what was aimed at.
type target struct {
	what     string
	need     float64
	atMost   bool // otherwise at least
	unit     string
	measured float64
	byHand   float64 // what the raw commands alone would reach; 0 where there are none
}

func (t target) met() bool {
	if t.atMost {
		return t.measured <= t.need
	}
	return t.measured >= t.need
}

// faster is how many times less time we need than another library.
func (r *results) faster(other, store, what string) float64 {
	return r.ns(other, store, what) / r.ns(coatcheck, store, what)
}

// fasterByHand is the same for a site that sends the raw commands and does nothing else. A write is a read before.
func (r *results) fasterByHand(other, store, what string) float64 {
	ns := r.ns(rawCommand, store, "read")
	if what == "write" {
		ns += r.ns(rawCommand, store, what)
	}
	if ns == 0 {
		return 0
	}
	return r.ns(other, store, what) / ns
}

func (r *results) targets() []target {
	faster := func(what string, need float64, other, store, scenario string) target {
		return target{what, need, false, "×", r.faster(other, store, scenario), r.fasterByHand(other, store, scenario)}
	}
	reads, _ := r.median(figure{coatcheck, inMemory, "read"})
	cached, _ := r.median(figure{coatcheck + ", cached", inRedis, "read"})
	list := []target{
		faster("memory, read: faster than scs", 5, "scs", inMemory, "read"),
		faster("memory, write: faster than scs", 5, "scs", inMemory, "write"),
		faster("memory, new: faster than scs", 2, "scs", inMemory, "new"),
		faster("memory, read of 10 KB: faster than scs", 15, "scs", inMemory, "read 10 KB"),
		{"memory, read: allocations", 25, true, "", reads.allocs, 0},
		faster("cookie, read: faster than gorilla", 5, "gorilla", inCookie, "read"),
		faster("cookie, write: faster than gorilla", 5, "gorilla", inCookie, "write"),
		r.cookieTarget(),
		faster("files, read: faster than gorilla", 3, "gorilla", inFiles, "read"),
		faster("files, write with sync: faster than gorilla without", 1, "gorilla", inFiles, "write"),
		faster("SQLite, read: faster than scs", 3.5, "scs", inSQLite, "read"),
		faster("SQLite, write: faster than scs", 3, "scs", inSQLite, "write"),
		{"Redis with a cache, read", 5, true, "µs", cached.ns / 1000, 0},
		{"Redis with a cache, read: round trips", 0, true, "",
			r.trips[figure{coatcheck + ", cached", inRedis, "read"}].trips, 0},
	}
	for _, store := range onServers {
		above := func(what string) float64 { return float64(r.aboveRaw[figure{coatcheck, store, what}]) / 1000 }
		list = append(list, target{store + ", read: processor above the raw command", 3, true, "µs", above("read"), 0},
			target{store + ", write: processor above the raw read and write", 6, true, "µs", above("write"), 0})
	}
	return append(list, r.conductTargets()...)
}

func (r *results) cookieTarget() target {
	bytes := func(library string) int { return r.cookies[figure{library, inCookie, ""}] }
	return target{fmt.Sprintf("cookie: bytes of a small session, of which gorilla takes %d", bytes("gorilla")), 400,
		true, "", float64(bytes(coatcheck)), 0}
}

// conductTargets are of all our stores on servers: a cookie cannot promise them.
func (r *results) conductTargets() []target {
	lost, left, revived := 1.0, 0, 0
	for f, c := range r.conduct {
		if f.store == inCookie ||
			!slices.ContainsFunc(coatcheckLibraries, func(l library) bool { return l.String() == f.library }) {
			continue
		}
		lost = min(lost, c.counted, c.keys)
		left = max(left, c.strangers)
		if c.revived {
			revived++
		}
	}
	return []target{
		{"every store but the cookie: steps that survive", 100, false, "%", 100 * lost, 0},
		{"every store but the cookie: entries of strangers", 0, true, "", float64(left), 0},
		{"every store but the cookie: tickets that work after logout", 0, true, "", float64(revived), 0},
	}
}

func (r *results) targetsText(w io.Writer) {
	fmt.Fprint(w, "\n### The aims\n\nBy hand is what the raw commands of the store alone would reach, with no "+
		"session library at all.\n")
	var rows [][]string
	for _, t := range r.targets() {
		byHand := ""
		if t.byHand > 0 {
			byHand = fmt.Sprintf("%s %s", trimmed(t.byHand), t.unit)
		}
		sign := map[bool]string{true: "≤", false: "≥"}[t.atMost]
		rows = append(rows, []string{t.what, fmt.Sprintf("%s %s %s", sign, trimmed(t.need), t.unit),
			fmt.Sprintf("%s %s", trimmed(t.measured), t.unit),
			byHand, map[bool]string{true: "met", false: "**missed**"}[t.met()]})
	}
	table(w, []string{"", "aim", "measured", "by hand", ""}, rows)
}
