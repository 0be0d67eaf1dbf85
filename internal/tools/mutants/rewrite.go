//go:build unix

package main

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
)

// An edit is a piece of text that is laid into a file. What it stands around is from pos to end; nothing of it is lost
// but in a replacement.
type edit struct {
	kind     int
	pos, end int // offsets
	text     string
	order    int // of two edits around one node, the earlier is the outer
}

const (
	closing = iota // at end
	opening        // at pos
	instead        // in place of what is from pos to end
)

func (e edit) at() int {
	if e.kind == closing {
		return e.end
	}
	return e.pos
}

// compare puts edits into the order in which they are written: at one place, whatever ends there, from the inside out,
// then what begins there, from the outside in.
func (e edit) compare(other edit) int {
	if c := cmp.Or(cmp.Compare(e.at(), other.at()), cmp.Compare(e.kind, other.kind)); c != 0 {
		return c
	}
	c := cmp.Or(cmp.Compare(other.end-other.pos, e.end-e.pos), cmp.Compare(e.order, other.order))
	if e.kind == closing {
		return -c
	}
	return c
}

// A rewriter gathers the edits of one file.
type rewriter struct {
	file  *token.File
	edits []edit
}

func (r *rewriter) edit(kind int, pos, end token.Pos, text string) {
	r.edits = append(r.edits, edit{kind, r.file.Offset(pos), r.file.Offset(end), text, len(r.edits)})
}

func (r *rewriter) wrap(n ast.Node, before, after string) {
	r.edit(opening, n.Pos(), n.End(), before)
	r.edit(closing, n.Pos(), n.End(), after)
}

func (r *rewriter) insert(pos token.Pos, text string) {
	r.edit(opening, pos, pos, text)
}

func (r *rewriter) replace(pos token.Pos, length int, text string) {
	r.edit(instead, pos, pos+token.Pos(length), text)
}

// apply returns the source with every edit made. No line moves, so that a panic still names the place.
func (r *rewriter) apply(source []byte) []byte {
	slices.SortFunc(r.edits, edit.compare)
	var out []byte
	from := 0
	for _, e := range r.edits {
		out = append(out, source[from:e.at()]...)
		out = append(out, e.text...)
		from = e.at()
		if e.kind == instead {
			from = e.end
		}
	}
	return append(out, source[from:]...)
}
