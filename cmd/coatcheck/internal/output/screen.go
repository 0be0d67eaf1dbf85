package output

import (
	"errors"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// Screen is where a command writes its result.
type Screen struct {
	io.Writer
	Columns int   // 0: any number, as in a file
	Wrote   bool  // whether anything was written
	Err     error // why something could not be
}

// usual is how wide a terminal is that does not say so.
const usual = 80

// NewScreen is as wide as the terminal that w is.
func NewScreen(w io.Writer) *Screen {
	s := &Screen{Writer: w}
	if f, ok := w.(*os.File); ok && Terminal(f) {
		if s.Columns, _, _ = term.GetSize(int(f.Fd())); s.Columns < 1 {
			s.Columns = usual
		}
	}
	return s
}

// Write implements [io.Writer]. Nothing is written after a failure, so that what is there has no gap.
func (s *Screen) Write(p []byte) (int, error) {
	if s.Err != nil {
		return 0, s.Err
	}
	s.Wrote = s.Wrote || len(p) > 0
	n, err := s.Writer.Write(p)
	s.Err = err
	return n, err
}

func widthOf(w io.Writer) int {
	if s, ok := w.(*Screen); ok {
		return s.Columns
	}
	return 0
}

// Terminal reports whether a person reads what is written to w, and may be asked.
func Terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// When colour is used.
const (
	Auto   = "auto" // on a terminal, unless NO_COLOR or TERM=dumb asks for none
	Always = "always"
	Never  = "never"
)

// SetColour says whether what is written to w has colours. It holds for the whole process.
func SetColour(when string, w io.Writer) error {
	switch when {
	case Always:
	case Never:
		text.DisableColors()
		return nil
	case Auto:
		if !Terminal(w) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
			text.DisableColors()
			return nil
		}
	default:
		return errors.New("there is no such choice")
	}
	text.EnableColors()
	return nil
}
