package shop

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/experiment"
	"github.com/coatcheck/session/guard"
)

//go:embed pages
var files embed.FS

// What the pages are made from.
type (
	// frame is what every page shows around its own.
	frame struct {
		Title, User, Flash string
		Staff              bool // the user belongs to it
		Pieces             int  // in the cart
		CSRF               template.HTML
	}
	homeView struct {
		frame
		Place       string // of the sessions
		Visits      int
		Stranger    bool // nothing is stored of the visitor
		Experiments []experimentView
	}
	// experimentView is an experiment, and both sides of what came out if it was run.
	experimentView struct {
		experiment.Experiment
		Sides []sideView
	}
	sideView struct {
		Title, Class string
		experiment.Side
	}
	shopView struct {
		frame
		Goods          []product
		Notes          []string
		ID             string
		Login, Expires time.Time
		MaxNote        int
		SignIn         signInView
		Mistake        mistake
	}
	// signInView is the form to sign in.
	signInView struct {
		CSRF    template.HTML
		Expired bool
		Return  string // the page to go to afterwards
		User    string // who is to say it again, or what was typed
		MaxName int
		Mistake mistake
	}
	loginView struct {
		frame
		SignIn signInView
	}
	cartView struct {
		frame
		Lines    []line
		Cents    int
		Orders   []order
		MaxCount int
		Wrong    string // the product with the mistake
		Mistake  mistake
	}
	staffView struct {
		frame
		People []person
		First  string
	}
	devicesView struct {
		frame
		Page guard.SessionsPage
	}
	problemView struct{ Title, Reason string }
)

func (s *Site) frame(r *http.Request, sess *session.Session, title string) frame {
	return frame{
		Title: title, User: sess.User(), Flash: flash.Or(sess, ""), Staff: mayManage(sess), Pieces: pieces(sess),
		CSRF: formToken(r),
	}
}

// Made once and never changed.
var (
	assets = map[string]asset{
		"style": newAsset("style", "css", "text/css; charset=utf-8"),
		"icon":  newAsset("icon", "svg", "image/svg+xml"),
	}
	pictures = newPictures()
	pages    = map[string]*template.Template{
		"home":    newPage("home"),
		"shop":    newPage("shop"),
		"login":   newPage("login"),
		"cart":    newPage("cart"),
		"staff":   newPage("staff"),
		"devices": newPage("devices"),
		"problem": newPage("problem"),
	}
)

// fewRequests is how many are shown without asking.
const fewRequests = 12

func newPage(name string) *template.Template {
	functions := template.FuncMap{
		"asset":   func(name string) string { return assets[name].path },
		"picture": func(id string) string { return pictures[id].path },
		"price":   price,
		"strip":   func() template.HTML { return stripMark },
		"few":     func(list []experiment.Request) bool { return len(list) <= fewRequests },
		"join":    strings.Join,
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"human":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") },
	}
	return template.Must(template.New(name).Funcs(functions).ParseFS(files, "pages/layout.html", "pages/"+name+".html"))
}

// asset is a file for everybody, whose address changes with its content, so that it may be kept for good.
type asset struct {
	path, contentType string
	content           []byte
}

func newAsset(name, extension, contentType string) asset {
	content, err := files.ReadFile("pages/" + name + "." + extension)
	if err != nil {
		panic("demo: " + err.Error()) // it is embedded above
	}
	sum := sha256.Sum256(content)
	return asset{"/" + path.Base(name) + "-" + hex.EncodeToString(sum[:6]) + "." + extension, contentType, content}
}

// newPictures has one for each product.
func newPictures() map[string]asset {
	list := make(map[string]asset, len(goods))
	for _, p := range goods {
		list[p.ID] = newAsset("goods/"+p.ID, "svg", "image/svg+xml")
	}
	return list
}

func (a asset) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // the client has gone
}
