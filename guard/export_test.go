package guard

// Open is how many records of its store a ledger keeps in mind.
func (l *ledger) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sheets)
}

// Change and NewLedger are for the tests of what a ledger keeps.
var (
	Change    = (*ledger).change
	NewLedger = newLedger
)
