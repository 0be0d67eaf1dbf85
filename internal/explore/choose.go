package explore

// Choose returns the ways to take n of a list, each as often as one likes, in its order.
func Choose[T any](n int, from []T) [][]T {
	if n == 0 {
		return [][]T{nil}
	}
	var all [][]T
	for i, one := range from {
		for _, rest := range Choose(n-1, from[i:]) {
			all = append(all, append([]T{one}, rest...))
		}
	}
	return all
}
