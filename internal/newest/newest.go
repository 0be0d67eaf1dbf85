package newest

import "context"

type key struct{}

// With returns a context whose loads are answered by no copy.
func With(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }

// Wanted reports whether a store that keeps copies must ask for the record.
func Wanted(ctx context.Context) bool { return ctx.Value(key{}) != nil }
