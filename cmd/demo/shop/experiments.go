package shop

import (
	"net/http"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/experiment"
)

// try runs an experiment on the store of the shop. The session of the visitor has no part in it.
func (s *Site) try(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if _, err := read(r); err != nil {
		return err
	}
	e, ok := experiment.Find(r.PathValue("name"))
	if !ok {
		refuse(w, r, http.StatusNotFound, "There is no such experiment.")
		return nil
	}
	report, err := s.run(r, e)
	if err != nil {
		s.logger.WarnContext(r.Context(), "experiment failed", "name", e.Name, "err", err)
		w.Header().Set("Retry-After", "2")
		refuse(w, r, http.StatusServiceUnavailable, "The experiment shows nothing now, because the store keeps "+
			"nothing. Please try again in a moment.")
		return nil
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, report)
		return nil
	}
	return s.showExperiments(w, r, sess, report)
}

// run waits for its turn: one experiment after the other, so that nobody can fill the machine with them.
func (s *Site) run(r *http.Request, e experiment.Experiment) (*experiment.Report, error) {
	select {
	case s.trying <- struct{}{}:
		defer func() { <-s.trying }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return e.Run(r.Context(), s.place.Store)
}

// showExperiments shows all of them, and what came out of one.
func (s *Site) showExperiments(w http.ResponseWriter, r *http.Request, sess *session.Session,
	report *experiment.Report) error {
	view := homeView{frame: s.frame(r, sess, "Experiments"), Place: s.place.Name, Visits: visits.Or(sess, 0),
		Stranger: sess.ID() == ""}
	for _, e := range experiment.All {
		one := experimentView{Experiment: e}
		if report != nil && report.Name == e.Name {
			one.Sides = []sideView{
				{"With Coatcheck", "ours", report.Ours}, {"The usual way", "usual", report.Usual},
			}
		}
		view.Experiments = append(view.Experiments, one)
	}
	return writePage(w, r, http.StatusOK, "home", view)
}
