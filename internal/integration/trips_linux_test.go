package integration_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/sqlstore"
)

// trips are the statements that a client sent, as a proxy saw them: one for each time that it waited for an answer.
type trips struct {
	mu   sync.Mutex
	list []string
}

func (l *trips) note(statement string) {
	statement = strings.TrimSpace(statement)
	if strings.HasPrefix(statement, "WITH ") { // with what it tells those who listen
		_, statement, _ = strings.Cut(statement, "(")
	}
	word, _, _ := strings.Cut(statement, " ")
	l.mu.Lock()
	defer l.mu.Unlock()
	if word != "--" { // a driver's own ping of a connection that was idle for long
		l.list = append(l.list, word)
	}
}

func (l *trips) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.Join(l.list, " ")
	l.list = nil
	return text
}

// postgresTrips reads the messages of PostgreSQL's protocol, version 3, that a client sends.
func postgresTrips(l *trips) func([]byte) {
	var buf []byte
	started, prepared, next := false, map[string]string{}, ""
	return func(b []byte) {
		buf = append(buf, b...)
		for {
			head := 1
			if !started {
				head = 0
			}
			if len(buf) < head+4 {
				return
			}
			size := head + int(binary.BigEndian.Uint32(buf[head:]))
			if len(buf) < size {
				return
			}
			kind, body := buf[0], bytes.Split(buf[head+4:size], []byte{0})
			switch {
			case !started:
				started = true
			case kind == 'P':
				prepared[string(body[0])], next = string(body[1]), "prepare"
			case kind == 'B':
				next = prepared[string(body[1])]
			case kind == 'Q':
				l.note(string(body[0]))
			case kind == 'S':
				l.note(next)
			}
			buf = buf[size:]
		}
	}
}

// mysqlTrips reads the commands of MySQL's protocol that a client sends.
func mysqlTrips(l *trips) func([]byte) {
	var buf []byte
	prepared, next := map[uint32]string{}, []string(nil)
	return func(b []byte) {
		buf = append(buf, b...)
		for len(buf) >= 4 {
			size := 4 + int(uint32(buf[0])|uint32(buf[1])<<8|uint32(buf[2])<<16)
			if len(buf) < size {
				return
			}
			command := buf[3] == 0 // others belong to the handshake
			body := buf[4:size]
			switch {
			case !command:
			case body[0] == 0x03: // COM_QUERY
				l.note(string(body[1:]))
			case body[0] == 0x16: // COM_STMT_PREPARE
				next = append(next, string(body[1:]))
				l.note("prepare")
			case body[0] == 0x17: // COM_STMT_EXECUTE
				// The server names it in its answer. Statements are run in the order in which they were prepared.
				id := binary.LittleEndian.Uint32(body[1:])
				if _, known := prepared[id]; !known {
					prepared[id], next = next[0], next[1:]
				}
				l.note(prepared[id])
			case body[0] == 0x01 || body[0] == 0x19: // COM_QUIT and COM_STMT_CLOSE get no answer
			default:
				l.note("command")
			}
			buf = slices.Clone(buf[size:])
		}
	}
}

// Promise 3: the cost of everything is known, statement by statement, at the connection, however the database was
// opened.
func TestServerCostsAsManyRoundTripsAsPromised(t *testing.T) {
	eachWay(t, func(t *testing.T, s server) {
		var now sync.Mutex
		at := time.Now()
		clock := func() time.Time { now.Lock(); defer now.Unlock(); return at }
		advance := func(d time.Duration) { now.Lock(); defer now.Unlock(); at = at.Add(d) }
		table := s.table()
		store, seen := s.watched(t, table)
		m := node(t, store, func(o *session.Options) { o.Now = clock })
		other := node(t, s.store(t, s.open(t), table), func(o *session.Options) { o.Now = clock })

		var b *browser
		read := func(s *session.Session) { s.Get("x") }
		write := func(s *session.Session) { s.Set("x", clock().UnixNano()) }
		for range 2 { // every statement is prepared by then
			b = newBrowser(t)
			b.with(m, write)
			b.with(m, write)
			b.with(m, func(s *session.Session) { write(s); s.Login("ada") })
			advance(time.Hour)
			b.with(m, read)
			if _, err := m.Sessions(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
			b.with(m, func(s *session.Session) { s.Logout() })
		}
		b = newBrowser(t)
		seen.take()
		for _, step := range []struct {
			name string
			do   func()
			want string
		}{
			{"a request that does not touch its session", func() { b.with(m, func(*session.Session) {}) }, ""},
			{"a read without a session", func() { newBrowser(t).with(m, read) }, ""},
			{"the first save", func() { b.with(m, write) }, "INSERT"},
			{"a read", func() { b.with(m, read) }, "SELECT"},
			{"a read and a write", func() { b.with(m, func(s *session.Session) { read(s); write(s) }) },
				"SELECT UPDATE"},
			{"a read that is due for a touch", func() { advance(time.Hour); b.with(m, read) }, "SELECT UPDATE"},
			{"a write that is due for a touch", func() { advance(time.Hour); b.with(m, write) }, "SELECT UPDATE"},
			{"a login", func() { b.with(m, func(s *session.Session) { s.Login("ada") }) }, "SELECT INSERT UPDATE"},
			{"a conflict", func() {
				b.with(m, func(s *session.Session) {
					s.Set("mine", 1)
					b.with(other, write)
				})
			}, "SELECT UPDATE SELECT UPDATE"},
			{"a logout", func() { b.with(m, func(s *session.Session) { s.Logout() }) }, "SELECT UPDATE"},
		} {
			step.do()
			if got := seen.take(); got != step.want {
				t.Errorf("%s: %q, want %q", step.name, got, step.want)
			}
		}
	})
}

// A renewal costs an INSERT and an UPDATE more than the read that it comes with, and a read through the alias that it
// left one SELECT more.
func TestServerRenewsForTwoRoundTrips(t *testing.T) {
	eachWay(t, func(t *testing.T, s server) {
		at := time.Now()
		store, seen := s.watched(t, s.table())
		m := node(t, store, func(o *session.Options) {
			o.Now = func() time.Time { return at }
			o.RenewEvery = time.Hour
		})
		read := func(s *session.Session) { s.Get("x") }
		for range 2 {
			b := newBrowser(t)
			b.with(m, func(s *session.Session) { s.Set("x", 1) })
			old := b.jar.Cookies(mustURL(t))
			at = at.Add(2 * time.Hour)
			seen.take()
			b.with(m, read)
			renewal := seen.take()
			late := newBrowser(t)
			late.jar.SetCookies(mustURL(t), old)
			late.with(m, read)
			if alias := seen.take(); strings.Contains(renewal, "prepare") {
				continue // of the first round
			} else if renewal != "SELECT INSERT UPDATE" || alias != "SELECT SELECT" {
				t.Errorf("a renewal: %q, and a read through its alias: %q", renewal, alias)
			}
		}
	})
}

// A login that is counted costs the transaction around its INSERT and the lock of its user more.
func TestServerLogsInWithinALimitForFewRoundTrips(t *testing.T) {
	want := map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: "BEGIN INSERT COMMIT",
		sqlstore.MySQL:      "prepare SELECT SET INSERT DO",
	}
	eachWay(t, func(t *testing.T, s server) {
		store, seen := s.watched(t, s.table())
		m := node(t, store, func(o *session.Options) { o.MaxPerUser = 3 })
		for _, user := range []string{"ada", "bob"} { // every statement is prepared by the second
			seen.take()
			newBrowser(t).with(m, func(s *session.Session) { s.Login(user) })
		}
		got := seen.take()
		if s.native && (got == "begin" || got == "commit") { // one trip is seen by its first or last statement
			return
		}
		if want := strings.TrimPrefix(want[s.dialect], s.spares); got != want {
			t.Errorf("a login: %q, want %q", got, want)
		}
	})
}

// watched returns a store with one connection at a time, and what it sends.
func (s server) watched(t *testing.T, table string, change ...func(opened)) (tableStore, *trips) {
	t.Helper()
	store, seen, _ := s.watchedThrough(t, table, change...)
	return store, seen
}

// watchedThrough is watched, and returns what stands between the store and the server as well.
func (s server) watchedThrough(
	t *testing.T, table string, change ...func(opened),
) (tableStore, *trips, *servers.Proxy) {
	t.Helper()
	at, err := s.start()
	if err != nil {
		t.Fatal(err)
	}
	seen := &trips{}
	if at.Addr == "" {
		t.Skip("the address of a server that the environment names is not known")
	}
	proxy := servers.NewProxy(t, at.Addr)
	proxy.Watch(func() func([]byte) { return s.reads(seen) })
	db := s.connect(t, strings.Replace(at.DSN, at.Addr, proxy.Addr, 1), 1)
	for _, c := range change {
		c(db)
	}
	return s.store(t, db, table), seen, proxy
}

// reads is what reads the statements that a connection sends.
func (s server) reads(seen *trips) func([]byte) {
	if s.dialect == sqlstore.MySQL {
		return mysqlTrips(seen)
	}
	return postgresTrips(seen)
}
