package frameworks_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/coatcheck/session"
)

type (
	nothing = connect.Request[emptypb.Empty]
	said    = wrapperspb.StringValue
)

// unary makes a procedure that answers what say makes of the session.
func unary(path string, say func(context.Context) (string, error)) *connect.Handler {
	return connect.NewUnaryHandler(path, func(ctx context.Context, _ *nothing) (*connect.Response[said], error) {
		text, err := say(ctx)
		if err != nil {
			return nil, err
		}
		return connect.NewResponse(wrapperspb.String(text)), nil
	})
}

func withConnect(wrap around) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/visit", unary("/visit", func(ctx context.Context) (string, error) {
		return visit(session.From(ctx)), nil
	}))
	mux.Handle("/login", unary("/login", func(ctx context.Context) (string, error) {
		return signIn(session.From(ctx)), nil
	}))
	mux.Handle("/returned", unary("/returned", func(ctx context.Context) (string, error) {
		_, err := session.Load(ctx)
		return "", err
	}))
	mux.Handle("/load", unary("/load", func(ctx context.Context) (string, error) {
		s, err := session.Load(ctx)
		if err != nil {
			return "", connect.NewError(connect.CodeUnavailable, err)
		}
		return visit(s), nil
	}))
	mux.Handle("/stream", connect.NewServerStreamHandler("/stream",
		func(ctx context.Context, _ *nothing, to *connect.ServerStream[said]) error {
			if err := to.Send(wrapperspb.String(visit(session.From(ctx)))); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}))
	return wrap(mux)
}

// rpc is a site of procedures.
type rpc struct {
	*site
	options []connect.ClientOption
}

func (s rpc) client(path string) *connect.Client[emptypb.Empty, said] {
	return connect.NewClient[emptypb.Empty, said](s.browser, s.server.URL+path, s.options...)
}

func (s rpc) call(path string) (string, error) {
	resp, err := s.client(path).CallUnary(s.Context(), connect.NewRequest(&emptypb.Empty{}))
	if err != nil {
		return "", err
	}
	return resp.Msg.GetValue(), nil
}

func (s rpc) stream(ctx context.Context) *connect.ServerStreamForClient[said] {
	s.Helper()
	stream, err := s.client("/stream").CallServerStream(ctx, connect.NewRequest(&emptypb.Empty{}))
	if err != nil {
		s.Fatal(err)
	}
	return stream
}

// says fails the test unless a procedure answers with this text.
func (s rpc) says(path, want string) {
	s.Helper()
	if got, err := s.call(path); got != want || err != nil {
		s.Errorf("%s says %q, %v; want %q", path, got, err, want)
	}
}

// fails fails the test unless a procedure has this code, and an error that tells nothing.
func (s rpc) fails(path string, want connect.Code) {
	s.Helper()
	_, err := s.call(path)
	if connect.CodeOf(err) != want || err == nil || strings.Contains(err.Error(), "10.0.0.7") {
		s.Errorf("%s = %v, want %v", path, err, want)
	}
}

// rpcs runs a test with each protocol that a client of connect speaks.
func rpcs(t *testing.T, middleware func(*session.Manager) around, test func(s rpc)) {
	for name, options := range map[string][]connect.ClientOption{
		"Connect":  nil,
		"JSON":     {connect.WithProtoJSON()},
		"gRPC":     {connect.WithGRPC()},
		"gRPC-Web": {connect.WithGRPCWeb()},
	} {
		for protocol, http2 := range protocols {
			if name == "gRPC" && !http2 {
				continue // which is HTTP/2 alone
			}
			t.Run(name+" "+protocol, func(t *testing.T) {
				test(rpc{open(t, http2, func(m *session.Manager) http.Handler {
					return withConnect(middleware(m))
				}), options})
			})
		}
	}
}

func TestAProcedureHasTheSession(t *testing.T) {
	rpcs(t, preload, func(s rpc) {
		s.says("/visit", " 1")
		before := s.ticket()
		s.says("/login", "ada 2")
		if s.ticket() == before || before == "" {
			s.Errorf("the ticket is %q after %q", s.ticket(), before)
		}
		s.says("/visit", "ada 3")
	})
}

func TestAnOutageIsUnavailableToAProcedure(t *testing.T) {
	rpcs(t, preload, func(s rpc) {
		s.says("/login", "ada 1")
		s.store.loads.Store(true)
		s.fails("/visit", connect.CodeUnavailable)
		s.store.loads.Store(false)
		s.store.saves.Store(true)
		s.fails("/visit", connect.CodeUnavailable)
		s.store.saves.Store(false)
		s.says("/visit", "ada 2")
	})
}

func TestWhatLoadReturnsToAProcedureTellsNothing(t *testing.T) {
	rpcs(t, middleware, func(s rpc) {
		s.says("/login", "ada 1")
		s.store.loads.Store(true)
		s.fails("/visit", connect.CodeUnavailable)
		s.fails("/load", connect.CodeUnavailable)
		s.fails("/returned", connect.CodeUnknown)
		s.store.loads.Store(false)
		s.says("/load", "ada 2")
	})
}

func TestAStreamOfMessagesHasItsTicket(t *testing.T) {
	rpcs(t, preload, func(s rpc) {
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		s.store.saves.Store(true)
		if refused := s.stream(ctx); refused.Receive() || connect.CodeOf(refused.Err()) != connect.CodeUnavailable {
			s.Errorf("a stream that cannot be stored begins with %v, %v", refused.Msg(), refused.Err())
		}
		s.store.saves.Store(false)
		stream := s.stream(ctx)
		if !stream.Receive() || stream.Msg().GetValue() != " 1" || stream.ResponseHeader().Get("Set-Cookie") == "" {
			s.Errorf("the stream begins with %v, %v, %v", stream.Msg(), stream.Err(), stream.ResponseHeader())
		}
		s.says("/visit", " 2")
		cancel()
		_ = stream.Close() // which says that it was canceled
	})
}
