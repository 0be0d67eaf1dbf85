package session

// Done returns a channel that is closed when the session ends: at once when this manager ends it, or another one does
// on a store that is a [Watcher]; otherwise, also when its time runs out, within Options.WatchEvery. Long-lived
// responses, such as server-sent events, select on it. It follows the session to a new id. Nothing is told any more
// once the request, or the context given to Open, is over.
func (s *Session) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = s.draft.Waiter()
		s.watchStored()
	}
	return s.done.Ended()
}

// watchStored waits for the end of the session once it is in the store. It is called with the lock held.
func (s *Session) watchStored() {
	if s.done != nil {
		s.draft.Watch(s.ctx, s.done)
	}
}
