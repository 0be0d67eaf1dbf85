package sqltable

// SweepInSteps removes at most limit rows that have ended, and says how many. The index of what is due may be behind:
// saves and touches that move an end to later leave it alone. So a row that is due has ended, and goes, or waits there
// for its end as it is now. Both functions look at the first rows that are due, as many as they are told: drop removes
// those that have ended, and move gives the others their end. Each says how many rows it changed.
func SweepInSteps(limit, step int, drop, move func(rows int) (int64, error)) (total int, err error) {
	for total < limit {
		rows := min(step, limit-total)
		dropped, err := drop(rows)
		total += int(dropped)
		if err != nil {
			return total, err
		}
		if int(dropped) == rows {
			continue
		}
		// What drop looked at and left is among what move looks at. Fewer than rows were due if it was fewer with that.
		moved, err := move(step)
		if err != nil || int(dropped+moved) < rows {
			return total, err
		}
	}
	return total, nil
}
