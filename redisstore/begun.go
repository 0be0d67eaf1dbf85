package redisstore

import (
	"context"

	"github.com/coatcheck/session/internal/bounded"
)

// begun is the context of a create that the server may have begun: it goes on when its caller gives up, to the deadline
// that he has set. What would take it back could overtake it, and what came after that would stay.
type begun struct {
	context.Context
	caller context.Context
}

// begin returns the context of a create. Whoever asks for it ends the call.
func begin(caller context.Context) (ctx context.Context, call *bounded.Context) {
	if _, already := caller.(begun); already || bounded.Detached(caller) {
		return caller, nil
	}
	if deadline, set := caller.Deadline(); set {
		call = bounded.Until(caller, deadline)
		return begun{call, caller}, call
	}
	return begun{context.WithoutCancel(caller), caller}, nil
}

// waiter is the context of whoever waits: a server that says that it has done nothing is not asked again for nobody.
func waiter(ctx context.Context) context.Context {
	if b, ok := ctx.(begun); ok {
		return b.caller
	}
	return ctx
}
