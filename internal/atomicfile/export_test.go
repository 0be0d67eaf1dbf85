package atomicfile

// Settled reports whether the next durable Swap may write over the spare at once.
func (d *Dir) Settled() bool {
	fi, err := d.root.Lstat(spareName)
	return err == nil && d.isSettled(fi)
}
