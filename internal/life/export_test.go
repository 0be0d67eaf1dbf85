package life

// MaxOrphans is how many records a keeper remembers to remove later.
const MaxOrphans = maxOrphans
