package output

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Screen is where a command writes its result.
type Screen struct {
	io.Writer
	Columns int  // 0: any number, as in a file
	Wrote   bool // whether anything was written
}

// NewScreen is as wide as the terminal that w is.
func NewScreen(w io.Writer) *Screen {
	s := &Screen{Writer: w}
	if f, ok := w.(*os.File); ok && Terminal(f) {
		s.Columns, _, _ = term.GetSize(int(f.Fd())) // 0 where nobody knows
	}
	return s
}

// Write implements [io.Writer].
func (s *Screen) Write(p []byte) (int, error) {
	s.Wrote = s.Wrote || len(p) > 0
	return s.Writer.Write(p)
}

func widthOf(w io.Writer) int {
	if s, ok := w.(*Screen); ok {
		return s.Columns
	}
	return 0
}
