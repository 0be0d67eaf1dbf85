package output

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows how far something is, with its rate and the time that is left. Where nobody watches it shows nothing.
type Progress struct{ bar *progressbar.ProgressBar }

// NewProgress begins to show progress on w. total is -1 where nobody knows it.
func NewProgress(w io.Writer, what string, total int) *Progress {
	if !Terminal(w) {
		return &Progress{}
	}
	return &Progress{progressbar.NewOptions(total,
		progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(w), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish())}
}

// Step says that n more are done.
func (p *Progress) Step(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

// Done clears the line.
func (p *Progress) Done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
