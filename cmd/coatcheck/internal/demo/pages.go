package demo

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"time"
)

//go:embed pages
var files embed.FS

// What the pages are made from.
type (
	homeView struct {
		Title string
		state
		Expired          bool
		Login, Expires   time.Time
		MaxName, MaxNote int
	}
	sessionsView struct {
		Title, User, Flash string
		Entries            []entry
		Others             bool
	}
	problemView struct{ Title, Reason string }
)

// Made once and never changed.
var (
	assets = map[string]asset{
		"style": newAsset("style", "css", "text/css; charset=utf-8"),
		"icon":  newAsset("icon", "svg", "image/svg+xml"),
	}
	pages = map[string]*template.Template{
		"home":     newPage("home"),
		"sessions": newPage("sessions"),
		"problem":  newPage("problem"),
	}
)

func newPage(name string) *template.Template {
	functions := template.FuncMap{
		"asset":   func(name string) string { return assets[name].path },
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
	return asset{"/" + name + "-" + hex.EncodeToString(sum[:6]) + "." + extension, contentType, content}
}

func (a asset) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // the client has gone
}
