package importlaw

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// stores are the packages that implement session.Store.
var stores = []string{"memstore", "filestore", "sqlstore", "nullstore", "cookiestore", "redisstore", "pgstore"}

// withClients are the stores that are modules of their own, because they need a client.
var withClients = []string{"redisstore", "pgstore"}

// notYet are the packages that the law names and that do not exist. One that appears leaves this list.
var notYet []string

// A rule forbids imports. It is asked about every import of every package, tests aside.
type rule struct {
	name    string
	why     string
	applies func(importer string) bool           // importer is short: "." or "memstore"
	forbids func(importer, imported string) bool // imported is a whole import path
}

// rules is the law. Do not change it to make a build pass: move the code that needs the import.
var rules = []rule{
	{
		name:    "a store imports the root, internal/ and the standard library only",
		why:     "whoever picks one store must not link another, nor what another needs",
		applies: isStore,
		forbids: func(importer, imported string) bool {
			short, ours := rel(imported)
			if !ours {
				return !isStd(imported) && !slices.Contains(withClients, importer)
			}
			return short != "." && !within(short, "internal") && !within(short, importer)
		},
	},
	{
		name:    "a store does not import net/http",
		why:     "cookies and headers are the manager's, so that a store can be tested and used without HTTP",
		applies: isStore,
		forbids: func(_, imported string) bool { return within(imported, "net/http") },
	},
	{
		name:    "the root imports nothing of the module but internal/",
		why:     "a program links the store it chose and no other; policy must not know where it is kept",
		applies: func(importer string) bool { return importer == "." },
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return ours && !within(short, "internal")
		},
	},
	{
		name:    "internal/ imports no store and no guard",
		why:     "otherwise one store could reach another, or the root a store, by way of internal/",
		applies: func(importer string) bool { return within(importer, "internal") && !unreleased(importer) },
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return ours && (isStore(short) || within(short, "guard"))
		},
	},
	{
		name: "below the root only respond and wire import net/http",
		why:  "what a session holds and how it lives must be understood, and tested, without a request",
		applies: func(importer string) bool {
			return within(importer, "internal") && !isHTTP(importer) && !unreleased(importer)
		},
		forbids: func(_, imported string) bool { return within(imported, "net/http") },
	},
	{
		name:    "respond and wire import nothing of the module",
		why:     "they are the lowest floor: bytes and headers, of which no session and no ticket is known",
		applies: isHTTP,
		forbids: func(_, imported string) bool {
			_, ours := rel(imported)
			return ours
		},
	},
	{
		name:    "only the root imports respond and wire",
		why:     "HTTP is the root's: elsewhere they would send and believe what the manager does not know of",
		applies: func(importer string) bool { return importer != "." },
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return ours && isHTTP(short)
		},
	},
	{
		name: "internal/data imports the standard library without HTTP, and internal/envelope",
		why: "what a session holds knows no request, no record and no manager, so that it is understood and " +
			"tested alone",
		applies: func(importer string) bool { return importer == "internal/data" },
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return within(imported, "net") || ours && short != "internal/envelope"
		},
	},
	{
		name:    "a floor imports lower floors only",
		why:     "whoever reads one need not know what stands on it, and a change above cannot reach through it",
		applies: func(importer string) bool { return floorOf(importer) >= 0 },
		forbids: func(importer, imported string) bool {
			short, ours := rel(imported)
			floor := floorOf(short)
			return ours && (floor < 0 || floor >= floorOf(importer))
		},
	},
	{
		name: "only floors import internal/data, keys, life and carried",
		why: "others use sessions by the root: whoever has a ring can make tickets, and what lies below could not " +
			"be changed any more",
		applies: func(importer string) bool { return floorOf(importer) < 0 },
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return ours && floorOf(short) > 0 && short != "."
		},
	},
	{
		name: "guard imports no store",
		why:  "it judges sessions by what they say, whatever keeps them, and so does devicebound",
		applies: func(importer string) bool {
			return within(importer, "guard") || within(importer, "devicebound")
		},
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return ours && isStore(short)
		},
	},
	{
		name:    "nothing outside tests imports sessiontest",
		why:     "a conformance kit does not belong into a program that runs",
		applies: func(importer string) bool { return !isKit(importer) && !unreleased(importer) },
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return ours && within(short, "sessiontest")
		},
	},
	{
		name:    "nothing outside tests imports testing",
		why:     "it brings its flags and its code into every program that links it",
		applies: func(importer string) bool { return !isKit(importer) && !unreleased(importer) },
		forbids: func(_, imported string) bool { return within(imported, "testing") },
	},
	{
		name:    "the root module imports the standard library only",
		why:     "a library that everybody's login depends on must not move anybody's other versions",
		applies: func(importer string) bool { return !nested(importer) && !isStore(importer) },
		forbids: func(_, imported string) bool {
			_, ours := rel(imported)
			return !ours && !isStd(imported)
		},
	},
	{
		name:    "internal/keys imports the standard library without HTTP, and internal/sealed",
		why:     "what knows no session, option or request cannot let them reach a key, and is read and tested alone",
		applies: func(importer string) bool { return within(importer, "internal/keys") },
		forbids: func(_, imported string) bool {
			short, ours := rel(imported)
			return within(imported, "net") || ours && short != "internal/sealed"
		},
	},
}

// floors are the root and what it stands on, from the ground up.
var floors = [][]string{
	{"internal/envelope", "internal/sealed", "internal/bounded", "internal/newest", "internal/respond",
		"internal/wire"},
	{"internal/data", "internal/keys"},
	{"internal/life"},
	{"internal/carried"},
	{"."},
}

// floorOf is the number of the floor that a package is on, -1 for none.
func floorOf(short string) int {
	return slices.IndexFunc(floors, func(floor []string) bool { return slices.Contains(floor, short) })
}

// nestedModules are the folders with a go.mod of their own, present or planned.
var nestedModules = []string{"cmd/coatcheck", "cmd/demo", "redisstore", "sessionconfig", "internal/frameworks",
	"internal/integration", "internal/release", "bench", "examples/passkey", "examples/websocket", "pglisten",
	"pgstore", "adapters"}

func nested(short string) bool {
	return slices.ContainsFunc(nestedModules, func(folder string) bool { return within(short, folder) })
}

func isStore(short string) bool {
	return slices.ContainsFunc(stores, func(store string) bool { return within(short, store) })
}

// isKit reports whether a package is for tests alone, of whoever uses the module.
func isKit(short string) bool {
	return within(short, "sessiontest") || within(short, "devicebound/conformance")
}

// isHTTP reports whether a package is one of the two below the root that know HTTP.
func isHTTP(short string) bool {
	return within(short, "internal/respond") || within(short, "internal/wire")
}

// unreleased reports whether a package serves the tests of this repository alone, its ordinary files too.
func unreleased(short string) bool {
	for _, only := range []string{"internal/frameworks", "internal/integration", "internal/release", "internal/explore",
		"internal/storm", "bench"} {
		if within(short, only) {
			return true
		}
	}
	return false
}

// judge returns one sentence for each import that breaks a rule.
func judge(pkgs []pkg) []string {
	var broken []string
	for _, p := range pkgs {
		short, ours := rel(p.path)
		if !ours {
			broken = append(broken, fmt.Sprintf("%s is not a package of %s", p.path, module))
			continue
		}
		for _, r := range rules {
			if !r.applies(short) {
				continue
			}
			for _, imported := range p.imports {
				if r.forbids(short, imported) {
					broken = append(broken, fmt.Sprintf("%s imports %s, but %s: %s", short, imported, r.name, r.why))
				}
			}
		}
	}
	return broken
}

// missing returns one sentence for each package that the law names although it is gone, or does not name although it
// should. A rule about a package that was renamed would otherwise hold for ever.
func missing(pkgs []pkg) []string {
	exists := make(map[string]bool)
	var broken []string
	for _, p := range pkgs {
		short, _ := rel(p.path)
		exists[short] = true
		if strings.HasSuffix(short, "store") && !strings.Contains(short, "/") && !isStore(short) {
			broken = append(broken, short+" looks like a store: add it to stores, so that the law holds for it too")
		}
	}
	named := slices.Concat(slices.Concat(floors...), []string{"guard", "devicebound", "sessiontest"})
	for _, name := range slices.Concat(stores, named) {
		switch planned := slices.Contains(notYet, name); {
		case exists[name] && planned:
			broken = append(broken, name+" exists now: remove it from notYet")
		case !exists[name] && !planned:
			broken = append(broken, name+" is named in the law and does not exist: rename it here too, or add it "+
				"to notYet")
		}
	}
	return broken
}

func TestLaw(t *testing.T) {
	pkgs := allPackages(t)
	if !slices.ContainsFunc(pkgs, func(p pkg) bool {
		return p.path == module && slices.Contains(p.imports, "net/http")
	}) {
		t.Fatalf("the root is not seen to import net/http: the imports were not read")
	}
	for _, sentence := range append(judge(pkgs), missing(pkgs)...) {
		t.Error(sentence)
	}
}

// TestLawCatches breaks each rule once, for a law that forbids nothing passes too.
func TestLawCatches(t *testing.T) {
	const third = "example.com/driver"
	for _, tt := range []struct {
		importer, imported string // short
		rule               string // "": allowed
	}{
		{"memstore", module, ""},
		{"memstore", "sync", ""},
		{"filestore", module + "/internal/atomicfile", ""},
		{"sqlstore", module + "/sqlstore/schema", ""},
		{"memstore", module + "/filestore", "a store imports the root"},
		{"memstore", module + "/guard", "a store imports the root"},
		{"sqlstore", third, "a store imports the root"},
		{"redisstore", third, ""},
		{"pgstore", third, ""},
		{"pgstore", module + "/internal/sqltable", ""},
		{"pgstore", module + "/sqlstore", "a store imports the root"},
		{"redisstore", module + "/memstore", "a store imports the root"},
		{"nullstore", "net/http", "a store does not import net/http"},
		{"nullstore", "net/http/httptest", "a store does not import net/http"},
		{"nullstore", "net/netip", ""},
		{".", "net/http", ""},
		{".", module + "/internal/sealed", ""},
		{".", module + "/memstore", "the root imports nothing"},
		{".", module + "/guard", "the root imports nothing"},
		{".", third, "the root module imports the standard library"},
		{".", module + "/internal/data", ""},
		{"internal/data", module + "/internal/envelope", ""},
		{"internal/data", "encoding/json", ""},
		{"internal/data", module, "internal/data imports the standard library"},
		{"internal/data", module + "/internal/sealed", "internal/data imports the standard library"},
		{"internal/data", "net/http", "internal/data imports the standard library"},
		{"guard", module + "/internal/data", "only floors import"},
		{"memstore", module + "/internal/data", "only floors import"},
		{"guard", module + "/internal/life", "only floors import"},
		{"cookiestore", module + "/internal/carried", "only floors import"},
		{"internal/life", module + "/internal/data", ""},
		{"internal/life", module + "/internal/envelope", ""},
		{"internal/life", module + "/internal/carried", "a floor imports lower floors only"},
		{"internal/life", module, "a floor imports lower floors only"},
		{"internal/life", module + "/internal/atomicfile", "a floor imports lower floors only"},
		{"internal/life", "net/http", "below the root only respond and wire import net/http"},
		{"internal/keys", module + "/internal/data", "a floor imports lower floors only"},
		{"internal/carried", module + "/internal/life", ""},
		{"internal/carried", module, "a floor imports lower floors only"},
		{"guard", module, ""},
		{"guard", module + "/memstore", "guard imports no store"},
		{"devicebound", module + "/memstore", "guard imports no store"},
		{"internal/sealed", third, "the root module imports the standard library"},
		{"internal/sealed", module + "/memstore", "internal/ imports no store"},
		{"internal/respond", "net/http", ""},
		{"internal/wire", "net/http", ""},
		{"internal/sealed", "net/http", "below the root only respond and wire import net/http"},
		{"internal/wireless", "net/http/httptest", "below the root only respond and wire import net/http"},
		{"internal/explore", "net/http", ""},
		{"internal/wire", module + "/internal/sealed", "respond and wire import nothing of the module"},
		{"internal/respond", module, "respond and wire import nothing of the module"},
		{".", module + "/internal/wire", ""},
		{"guard", module + "/internal/respond", "only the root imports respond and wire"},
		{"internal/respond", module + "/internal/wire", "only the root imports respond and wire"},
		{"internal/integration", module + "/sqlstore", ""},
		{"internal/integration", third, ""},
		{"cmd/coatcheck", third, ""},
		{"cmd/coatcheck", module + "/sqlstore", ""},
		{"cmd/coatcheck", module + "/sessiontest", "nothing outside tests imports sessiontest"},
		{"cmd/coatcheck", "testing", "nothing outside tests imports testing"},
		{"memstore", "testing/synctest", "nothing outside tests imports testing"},
		{"sessiontest", "testing", ""},
		{"devicebound/conformance", "testing", ""},
		{"devicebound", "testing", "nothing outside tests imports testing"},
		{".", module + "/internal/keys", ""},
		{"internal/keys", module + "/internal/sealed", ""},
		{"internal/keys", "crypto/hkdf", ""},
		{"internal/keys", module, "internal/keys imports the standard library"},
		{"internal/keys", module + "/internal/envelope", "internal/keys imports the standard library"},
		{"internal/keys", "net/http", "internal/keys imports the standard library"},
		{"guard", module + "/internal/keys", "only floors import"},
		{"memstore", module + "/internal/keys", "only floors import"},
		{"cmd/coatcheck", module + "/internal/keys", "only floors import"},
	} {
		path := strings.TrimSuffix(module+"/"+tt.importer, "/.")
		broken := judge([]pkg{{path, []string{tt.imported}}})
		switch {
		case tt.rule == "" && len(broken) > 0:
			t.Errorf("%s importing %s: %s, want it allowed", tt.importer, tt.imported, quoted(broken))
		case tt.rule != "" && !slices.ContainsFunc(broken, func(s string) bool { return strings.Contains(s, tt.rule) }):
			t.Errorf("%s importing %s: %s, want it refused because %q", tt.importer, tt.imported, quoted(broken),
				tt.rule)
		}
	}
}

func TestLawMissesWhatIsGone(t *testing.T) {
	var pkgs []pkg
	named := []string{"guard", "devicebound", "sessiontest"}
	for _, name := range slices.Concat(stores, named, slices.Concat(floors...)) {
		if name != "." && !slices.Contains(notYet, name) {
			pkgs = append(pkgs, pkg{path: module + "/" + name})
		}
	}
	whole := append(pkgs, pkg{path: module})
	if broken := missing(whole); len(broken) > 0 {
		t.Errorf("missing(all packages) = %s, want none", quoted(broken))
	}
	if broken := missing(whole[1:]); len(broken) != 1 || !strings.HasPrefix(broken[0], stores[0]+" is named") {
		t.Errorf("missing(all but %s) = %s, want one sentence about it", stores[0], quoted(broken))
	}
	if broken := missing(append(whole, pkg{path: module + "/etcdstore"})); len(broken) != 1 {
		t.Errorf("missing(a store the law does not know) = %s, want one sentence", quoted(broken))
	}
	before := notYet
	t.Cleanup(func() { notYet = before })
	notYet = []string{stores[0]}
	if broken := missing(whole); len(broken) != 1 {
		t.Errorf("missing(a planned package that exists) = %s, want one sentence", quoted(broken))
	}
}

func TestRootModuleRequiresNothing(t *testing.T) {
	var mod struct{ Require, Replace, Exclude, Tool []any }
	if err := json.Unmarshal(goCommand(t, ".", nil, "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Require)+len(mod.Replace)+len(mod.Exclude)+len(mod.Tool) > 0 {
		t.Errorf("the root go.mod requires or replaces something: a library that everybody's login depends on "+
			"must not move anybody's other versions; put the code that needs it into a nested module: %+v", mod)
	}
}

// TestWorkspace keeps go.work whole: from the repository's root `go run ./cmd/coatcheck` finds only what it lists.
func TestWorkspace(t *testing.T) {
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(goCommand(t, ".", nil, "work", "edit", "-json", "go.work"), &work); err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, u := range work.Use {
		used = append(used, strings.TrimPrefix(u.DiskPath, "./"))
	}
	for _, dir := range moduleDirs(t) {
		switch in := slices.Contains(used, dir); {
		case dir == "internal/tools" && in:
			t.Errorf("go.work uses internal/tools: the requirements of linters would move the versions of every module")
		case dir != "internal/tools" && !in:
			t.Errorf("go.work does not use %s: run go work use ./%s", dir, dir)
		}
		if dir != "." && dir != "internal/tools" && !nested(dir+"/") && !nested(dir) {
			t.Errorf("%s is a module that the law does not know: add it to nestedModules", dir)
		}
	}
}
