package sessiontest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// base is the time about which all records are. It lies far ahead, because a store may drop by itself what has expired.
var base = time.Date(2200, 2, 29, 23, 59, 59, 123_456_000, time.UTC)

func at(d time.Duration) time.Time { return base.Add(d) }

// sample is a record with something in every field, unlike that of any other id.
func sample(id string) *session.Record {
	return &session.Record{
		ID: id, User: "user " + tag(id),
		CreatedAt: at(-3 * time.Hour), SeenAt: at(-time.Hour), LoginAt: at(-2 * time.Hour), ExpiresAt: at(time.Hour),
		RemoteIP: netip.MustParseAddr("2001:db8::7"), UserAgent: "browser " + tag(id), Persistent: true,
		Data: []byte("data of " + id),
	}
}

// next is a record that replaces sample(id) at the version given: it differs from it in every field that may differ.
func next(id string, version uint64) *session.Record {
	return &session.Record{
		ID: id, User: "next user " + tag(id), Version: version,
		CreatedAt: at(-3 * time.Hour), SeenAt: at(time.Minute), ExpiresAt: at(2 * time.Hour),
		RemoteIP: netip.MustParseAddr("192.0.2.7"), UserAgent: "next browser " + tag(id),
		Data: fmt.Appendf(nil, "data of %s after version %d", id, version),
	}
}

// retired are an alias and a tombstone.
func retired() []*session.Record {
	alias, tombstone := sample(idB), sample(idC)
	alias.Kind, alias.Successor = session.KindAlias, idA
	tombstone.Kind, tombstone.Successor = session.KindTombstone, idA
	return []*session.Record{alias, tombstone}
}

// stored is what the store has of a record that was saved.
func stored(saved *session.Record) *session.Record {
	rec := saved.Clone()
	rec.Version++
	return rec
}

// tag is short and tame, and another one for every id.
func tag(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:6])
}

// owned is a record of that user.
func owned(id, user string) *session.Record {
	rec := sample(id)
	rec.User = user
	return rec
}

// The ids of most rules look like those that the manager makes, because a store may refuse others.
const (
	idA = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
	idB = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
	idC = "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"
)

// handle is one more such id.
func handle(i int) string { return fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i >> 8), byte(i)})) }

// handles are the first n of them, in no order.
func handles(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = handle(i)
	}
	return ids
}

// hostileNames are different ids and users, each of which some store would take for another one, or for something that
// is not a name at all. Every one is UTF-8 without control characters.
func hostileNames() []string {
	return []string{
		"../x", "../../etc/passwd", "..", ".", "./x", "/x", "/etc/passwd", "x/", "x/y", "x//y", "x/../x", `..\x`,
		`C:\x`, `\\host\share`,
		`x\`, `\`, "'", "''", `"`, "`", "'; DROP TABLE sessions; --", "x' OR '1'='1", "$1", "?", ":x", "@x", "{x}",
		"[x]",
		"%", "_", "*", "x%", "x_", "%00", "%2e%2e%2fx", "%2F", "CON", "nul", "AUX.txt", "com1", "LPT1", "x:y", "x|y",
		"x<y>",
		"x", "X", "é", "É", "e\u0301", "ß", "ss", "ﬁ", "fi", "İ", "i", "I", "ı", "\u00c5", "A\u030a", "\u212b", "日本語",
		"🍪", "👩‍👩‍👧", "\u202eabc", "\ufeffx",
		" ", "  ", "x ", "x  ", " x", "x.", "x..", "x. ", ".x", "~", "~x", "-x", "--help", "0", "00", "-0", "1e3",
		"1000", "0x10",
		"null", "NULL", "true", "undefined", "__proto__", "#", "x#y", "&x=y", "x+y", "a b", "a\u00a0b", "<script>",
		"${x}", "{{x}}", "$(x)",
		"{hash}tag", "user:x", "id:x", "sessions:x", strings.Repeat("n", 200), strings.Repeat("n", 199) + "N",
	}
}

// hostileIDs are those and what only ids may be: they come from a client in the worst case, users from the application.
func hostileIDs() []string {
	return append(hostileNames(), rawNames()...)
}

// rawNames are no text that the manager would pass on, or longer. A store may refuse them.
func rawNames() []string {
	return []string{
		"", "\x00", "x\x00", "x\x00y", "\x00x", "x\n", "x\r\n", "\n", "x\t", "\x1b[0m", "\x7f", "\xff", "\xff\xfe",
		"x\xc3", "\xed\xa0\x80", "x\x80", "x\x81",
		strings.Repeat("l", 300), strings.Repeat("l", 299) + "L", strings.Repeat("../", 100), strings.Repeat("é", 150),
		strings.Repeat("k", 5000),
	}
}

// hostileUsers are names that the manager would pass on.
func hostileUsers() []string {
	return append(hostileNames(),
		strings.Repeat("u", 255), strings.Repeat("u", 254)+"U", strings.Repeat("u", 254), strings.Repeat("ü", 127)+"u",
		strings.Repeat("🍪", 63),
		"ada@example.com", "Ada@example.com", "ada@example.com ", "ada@example.com  ", " ada@example.com",
	)
}
