package conversation

// ProbeInline has s wait for its probes, so that what it does is known.
func (s *Store) ProbeInline() { s.aside = func(f func()) { f() } }
