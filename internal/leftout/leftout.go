package leftout

import "context"

type key struct{}

// Telling returns a context with which a list calls tell for each damaged record that it leaves out, before it returns.
// The store knows the id, or else the place in which the record is.
func Telling(ctx context.Context, tell func(id, place string)) context.Context {
	return context.WithValue(ctx, key{}, tell)
}

// Tell says that a list leaves out a damaged record: of an id, or with "" for that in a place.
func Tell(ctx context.Context, id, place string) {
	if tell, ok := ctx.Value(key{}).(func(id, place string)); ok {
		tell(id, place)
	}
}
