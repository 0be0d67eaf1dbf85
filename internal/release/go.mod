// The module proxy of the work tree, and what releases it. A module of its own, for it needs what the go command itself
// makes zips with; it requires no module of this repository, so that it is built before any of them can be.
module github.com/coatcheck/session/internal/release

go 1.25.2

require golang.org/x/mod v0.40.0
