package output

import (
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
)

// Progress shows how far something is, with its rate and the time that is left. Where nobody watches it shows nothing.
type Progress struct {
	tracker *progress.Tracker
	writer  progress.Writer
	gone    chan struct{} // closed when the line was cleared
}

// Watched reports whether somebody watches progress on w: on a terminal that can draw a line anew.
func Watched(w any) bool { return Terminal(w) && os.Getenv("TERM") != "dumb" }

// NewProgress begins to show progress on w. total is -1 where nobody knows it.
func NewProgress(w io.Writer, what string, total int) *Progress {
	if !Watched(w) {
		return &Progress{}
	}
	p := &Progress{
		// More may come than was counted, and then it is not done.
		tracker: &progress.Tracker{Message: what, Total: int64(max(total, 0)), AutoStopDisabled: true,
			RemoveOnCompletion: true},
		writer: progress.NewWriter(),
		gone:   make(chan struct{}),
	}
	p.writer.SetOutputWriter(w)
	p.writer.SetAutoStop(true) // for Stop does nothing before the first drawing
	p.writer.SetUpdateFrequency(100 * time.Millisecond)
	p.writer.SetTrackerPosition(progress.PositionRight)
	style := p.writer.Style()
	style.Visibility.ETA, style.Visibility.Speed, style.Visibility.Time = total > 0, true, false
	style.Visibility.Percentage = total > 0
	style.Options.Separator, style.Options.PercentFormat = " ", "%3.0f%%"
	p.writer.AppendTracker(p.tracker)
	go func() {
		defer close(p.gone)
		p.writer.Render()
	}()
	return p
}

// Step says that n more are done.
func (p *Progress) Step(n int) {
	if p.tracker != nil {
		p.tracker.Increment(int64(n))
	}
}

// Done clears the line.
func (p *Progress) Done() {
	if p.tracker == nil {
		return
	}
	p.tracker.MarkAsDone()
	p.writer.Stop()
	<-p.gone
}
