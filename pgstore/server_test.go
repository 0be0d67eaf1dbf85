package pgstore_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session/pgstore"
)

// server is an empty database, whose first statements end in another way than in an answer.
type server struct {
	times int                          // how often they do
	ends  func(*pgproto3.Backend) bool // what the server says then, and whether the connection goes on

	mu        sync.Mutex
	connected int
	ran       []string
	open      sync.WaitGroup
}

// refuses ends statements with an error of the server.
func refuses(code string) func(*pgproto3.Backend) bool {
	return func(b *pgproto3.Backend) bool {
		b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: code, Message: code})
		return true
	}
}

// leaves ends statements with an error of the server, and the connection.
func leaves(code string) func(*pgproto3.Backend) bool {
	return func(b *pgproto3.Backend) bool {
		b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: code})
		_ = b.Flush()
		return false
	}
}

func silence(*pgproto3.Backend) bool { return false }

func (s *server) count() (connected, ran int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected, len(s.ran)
}

// fails reports whether the statement is one that fails.
func (s *server) fails(statement string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ran = append(s.ran, statement)
	return len(s.ran) <= s.times
}

func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	client, conn := net.Pipe()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected++
	s.open.Go(func() {
		defer conn.Close()
		s.serve(pgproto3.NewBackend(conn, conn))
	})
	return client, nil
}

// serve answers simple queries.
func (s *server) serve(b *pgproto3.Backend) {
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	for {
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if b.Flush() != nil {
			return
		}
		message, err := b.Receive()
		if err != nil {
			return
		}
		query, ok := message.(*pgproto3.Query)
		if !ok {
			return
		}
		if s.fails(query.String) {
			if !s.ends(b) {
				return
			}
			continue
		}
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")})
	}
}

// poolOn returns a pool of four connections to the server.
func poolOn(t *testing.T, s *server) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig("postgres://app@127.0.0.1/app?sslmode=disable&pool_max_conns=4")
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.DialFunc = s.dial
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pool.Close()
		s.open.Wait()
	})
	return pool
}

// storeOn returns a store of the server.
func storeOn(t *testing.T, s *server) *pgstore.Store {
	t.Helper()
	store, err := pgstore.New(poolOn(t, s), pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}
