// Command program is what a stranger writes who uses every module: a site with the configuration that coatcheck init
// made.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/fibersession"
	"github.com/coatcheck/session/adapters/ginsession"
	"github.com/coatcheck/session/adapters/gorillastore"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	otelsession "github.com/coatcheck/session/adapters/otel"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/adapters/takeover"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
	"github.com/coatcheck/session/pglisten"
	"github.com/coatcheck/session/pgstore"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sessionconfig"
	_ "github.com/coatcheck/session/sessionconfig/sqlite"
	"github.com/coatcheck/session/sqlstore"
)

var (
	_ session.Store = (*cookiestore.Store)(nil)
	_ session.Store = (*filestore.Store)(nil)
	_ session.Store = (*memstore.Store)(nil)
	_ session.Store = (*nullstore.Store)(nil)
	_ session.Store = (*pgstore.Store)(nil)
	_ session.Store = (*redisstore.Store)(nil)
	_               = fibersession.From
	_               = ginsession.From
	_               = gorillastore.Of
	_               = otelsession.New
	_               = passkey.New
	_               = oidcsession.New
	_               = takeover.Gorilla
	_               = sqlstore.Options{Dialect: sqlstore.PostgreSQL, Listen: pglisten.Listen}
)

const visits = session.Key[int]("visits")

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// run serves until the standard input ends, which it does when the one who started it is gone.
func run() error {
	cfg, err := sessionconfig.Load("session.yaml")
	if err != nil {
		return err
	}
	sessions, closer, err := cfg.Open(context.Background())
	if err != nil {
		return err
	}
	defer closer.Close()
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: sessions.Middleware(g.CSRF(http.HandlerFunc(count)))}
	go server.Serve(listener)
	fmt.Printf("http://%s/\n", listener.Addr())
	_, err = os.Stdin.Read(make([]byte, 1))
	server.Close()
	_ = err // the end of the input
	return nil
}

func count(w http.ResponseWriter, r *http.Request) {
	s, err := session.Load(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	visits.Update(s, func(n int) int { return n + 1 })
	fmt.Fprintf(w, "visit %d\n", visits.Or(s, 0))
}
