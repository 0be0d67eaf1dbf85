package frameworks_test

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/coatcheck/session"
)

// text is a body that huma does not encode.
type text struct{ Body []byte }

func withHuma(wrap around) http.Handler {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("site", "1"))
	huma.Get(api, "/visit", func(ctx context.Context, _ *struct{}) (*text, error) {
		return &text{[]byte(visit(session.From(ctx)))}, nil
	})
	huma.Get(api, "/login", func(ctx context.Context, _ *struct{}) (*text, error) {
		return &text{[]byte(signIn(session.From(ctx)))}, nil
	})
	huma.Get(api, "/stream", func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(c huma.Context) {
			_, w := humago.Unwrap(c)
			_ = stream(ctx, w, session.From(ctx)) // the client sees if it failed
		}}, nil
	})
	huma.Get(api, "/socket", func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := humago.Unwrap(c)
			greet(w, r, session.From(ctx))
		}}, nil
	})
	failWithHuma(api)
	return wrap(mux)
}

// failWithHuma adds the pages that answer with errors.
func failWithHuma(api huma.API) {
	huma.Get(api, "/load", func(ctx context.Context, _ *struct{}) (*text, error) {
		s, err := session.Load(ctx)
		if err != nil {
			return nil, huma.NewError(statusOf(err), err.Error())
		}
		return &text{[]byte(visit(s))}, nil
	})
	huma.Get(api, "/returned", func(ctx context.Context, _ *struct{}) (*text, error) {
		_, err := session.Load(ctx)
		return nil, err
	})
	huma.Get(api, "/wrong", func(ctx context.Context, _ *struct{}) (*text, error) {
		return nil, huma.NewError(http.StatusTeapot, visit(session.From(ctx)))
	})
}
