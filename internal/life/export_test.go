package life

// MaxOrphans is how many records a keeper remembers to remove later.
const MaxOrphans = maxOrphans

// Tips is how many sessions the store is to be asked for.
func (k *Keeper) Tips() int {
	k.watch.mu.Lock()
	defer k.watch.mu.Unlock()
	return len(k.watch.tips)
}
