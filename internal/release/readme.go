package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
)

var goBlock = regexp.MustCompile("(?ms)^```go\r?\n(.*?)^```\r?$")

// around is what a block of the README is put into that is no whole program: what people have before they begin, the
// block, and a use of each variable that it declares.
const around = `package main

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/sqlstore"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

var (
	ctx                 = context.Background()
	secrets             = []session.Secret{session.NewSecret()}
	sessions            *session.Manager
	mux                 = http.NewServeMux()
	app, account, admin http.Handler
	address             string
	passwordIsRight     func(user, password string) bool
	r                   *http.Request
	_                   sqlstore.Options
	_                   sql.DB
	_                   guard.Options
	_                   time.Duration
)

func main() {
%s%s}
`

// copiesReadme builds each piece of Go of the README beside the program with every module.
func (s *stranger) copiesReadme(t *tree) error {
	text, err := os.ReadFile(t.on("README.md"))
	if err != nil {
		return err
	}
	for i, m := range goBlock.FindAllStringSubmatch(string(text), -1) {
		source, err := asProgram(m[1])
		if err != nil {
			return fmt.Errorf("piece %d of README.md: %w", i+1, err)
		}
		if err := s.write(fmt.Sprintf("program/readme%d/main.go", i+1), []byte(source)); err != nil {
			return err
		}
	}
	return s.all("program", "build ./...")
}

// asProgram completes a piece of Go.
func asProgram(piece string) (string, error) {
	if strings.HasPrefix(piece, "package main\n") {
		return piece, nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), "README.md", fmt.Sprintf(around, piece, ""), 0)
	if err != nil {
		return "", err
	}
	var uses strings.Builder
	for _, statement := range file.Decls[len(file.Decls)-1].(*ast.FuncDecl).Body.List {
		if assigned, ok := statement.(*ast.AssignStmt); ok && assigned.Tok == token.DEFINE {
			for _, name := range assigned.Lhs {
				fmt.Fprintf(&uses, "\t_ = %s\n", name.(*ast.Ident).Name)
			}
		}
	}
	return fmt.Sprintf(around, piece, uses.String()), nil
}
