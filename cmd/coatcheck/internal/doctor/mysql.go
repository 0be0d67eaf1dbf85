package doctor

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mysqlSettings has the value of this session where there is one. What a server does not know is not listed: each of
// MySQL and MariaDB has variables of its own, and MariaDB called the isolation level otherwise before 11.1.
const mysqlSettings = `SHOW SESSION VARIABLES WHERE Variable_name IN (
	'read_only', 'super_read_only', 'innodb_read_only', 'transaction_read_only', 'tx_read_only',
	'transaction_isolation', 'tx_isolation', 'innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'sql_mode',
	'max_allowed_packet', 'wait_timeout', 'wsrep_on')`

// mysql looks whether the server takes writes, and keeps them.
func (p *patient) mysql(ctx context.Context, db *sql.DB) {
	set, err := settings(ctx, db, mysqlSettings)
	if err != nil {
		p.unknown("settings", err)
		return
	}
	p.mysqlWrites(set)
	p.mysqlKeeps(set)
	p.mysqlFits(set)
}

// mysqlWrites looks at the settings too, not at what a write does alone: an administrator may write on a replica.
func (p *patient) mysqlWrites(set map[string]string) {
	var on []string
	for _, name := range []string{"read_only", "super_read_only", "innodb_read_only", "transaction_read_only",
		"tx_read_only"} {
		if value := set[name]; value != "" && value != "off" && value != "0" {
			on = append(on, name)
		}
	}
	found := "the server is not read-only"
	if len(on) > 0 {
		found = strings.Join(on, " and ") + " is on"
	}
	p.add("read-only", len(on) == 0, Fail, found, p.dsn()+": name the server that takes writes, and add "+
		"rejectReadOnly=true, so that connections to a demoted server are dropped")
}

func (p *patient) mysqlKeeps(set map[string]string) {
	flush := set["innodb_flush_log_at_trx_commit"]
	p.add("flush-log", flush == "1" || flush == "3", Warn, "innodb_flush_log_at_trx_commit is "+flush,
		"a crash of the machine undoes the logouts and revocations of the last second: set it to 1")
	p.add("doublewrite", set["innodb_doublewrite"] != "off", Warn,
		"innodb_doublewrite is "+cmp.Or(set["innodb_doublewrite"], "unknown"),
		"a crash of the machine can destroy pages: switch it on")
	level := cmp.Or(set["transaction_isolation"], set["tx_isolation"])
	p.add("isolation", level == "repeatable-read" || level == "read-committed", Warn, "it is "+level,
		"SERIALIZABLE makes readers wait for writers: set REPEATABLE-READ, the server's default")
}

// room is what a statement needs beside the data of a session.
const room = 64 << 10

func (p *patient) mysqlFits(set map[string]string) {
	mode := strings.Split(set["sql_mode"], ",")
	strict := slices.Contains(mode, "strict_trans_tables") || slices.Contains(mode, "strict_all_tables")
	p.add("sql-mode", strict, Warn, "sql_mode is "+cmp.Or(set["sql_mode"], "empty"),
		"what does not fit is silently truncated: set STRICT_TRANS_TABLES, or add to "+p.dsn()+
			" sql_mode=%27STRICT_TRANS_TABLES%27")
	packet, need := number(set["max_allowed_packet"]), cmp.Or(p.cfg.Options.MaxBytes, 1<<20)+room
	p.add("packet", packet >= need, Warn, fmt.Sprintf("max_allowed_packet is %d bytes", packet),
		fmt.Sprintf("a session of max_bytes does not fit: set it to %d or more, or make max_bytes smaller", need))
	idle, wait := p.idle(), time.Duration(number(set["wait_timeout"]))*time.Second
	p.add("wait-timeout", idle > 0 && idle < wait, Warn,
		fmt.Sprintf("wait_timeout is %s, and a connection may be idle for %s", wait, orEver(idle)),
		strings.TrimSuffix(p.dsn(), "dsn")+"max_idle_time: make it shorter than wait_timeout, so that the server "+
			"never closes a connection that is about to be used")
	p.add("galera", set["wsrep_on"] != "on" || p.cfg.Options.MaxPerUser == 0, Warn,
		fmt.Sprintf("wsrep_on is %s, and max_per_user is %d", cmp.Or(set["wsrep_on"], "not there"),
			p.cfg.Options.MaxPerUser),
		"the nodes do not share named locks, so logins may exceed max_per_user: send all logins to one node")
}

// idle is how long a connection may be idle, 0 for any time.
func (p *patient) idle() time.Duration {
	c := p.cfg.Connection()
	switch {
	case c.MaxIdleTime <= 0:
		return max(c.MaxLifetime, 0)
	case c.MaxLifetime <= 0:
		return c.MaxIdleTime
	}
	return min(c.MaxIdleTime, c.MaxLifetime)
}

func orEver(d time.Duration) string {
	if d == 0 {
		return "ever"
	}
	return d.String()
}

// number is 0 for what is none, which no check takes for good.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
