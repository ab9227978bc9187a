package local

import "targon/chain/substrate"

// batchDeed runs calls one after another: batch until the first that fails, whose
// error its event says; batch_all all or none; force_batch each, whatever became of the
// others. Inside a batch the pool's own checks are not made, as on Subtensor.
func batchDeed(c substrate.Call) (deed, error) {
	list, _ := c.Args.Get("calls").([]any)
	deeds := make([]deed, len(list))
	for i, v := range list {
		var err error
		if deeds[i], err = inner(v); err != nil {
			return deed{}, err
		}
	}
	run := map[string]func(*state, call, []deed) error{"batch": untilOneFails, "batch_all": allOrNone, "force_batch": eachOne}[c.Name]
	return deed{origin: either, run: func(s *state, x call) error { return run(s, x, deeds) }}, nil
}

func untilOneFails(s *state, x call, deeds []deed) error {
	for i, d := range deeds {
		if err := s.attempt(d, x); err != nil {
			s.emit("Utility", "BatchInterrupted", record("index", i, "error", err))
			return nil
		}
		s.emit("Utility", "ItemCompleted", nil)
	}
	s.emit("Utility", "BatchCompleted", nil)
	return nil
}

func allOrNone(s *state, x call, deeds []deed) error {
	saved := s.clone()
	for _, d := range deeds {
		if err := d.do(s, x); err != nil {
			s.restore(saved)
			return err
		}
		s.emit("Utility", "ItemCompleted", nil)
	}
	s.emit("Utility", "BatchCompleted", nil)
	return nil
}

func eachOne(s *state, x call, deeds []deed) error {
	failed := false
	for _, d := range deeds {
		if err := s.attempt(d, x); err != nil {
			failed = true
			s.emit("Utility", "ItemFailed", record("error", err))
			continue
		}
		s.emit("Utility", "ItemCompleted", nil)
	}
	if failed {
		s.emit("Utility", "BatchCompletedWithErrors", nil)
		return nil
	}
	s.emit("Utility", "BatchCompleted", nil)
	return nil
}

// attempt runs one call of several. What fails changes nothing, and nothing else
// happened of it.
func (s *state) attempt(d deed, x call) error {
	from := len(s.events)
	err := d.do(s, x)
	if err != nil {
		s.events = s.events[:from]
	}
	return err
}

// restore puts back what clone kept. The events stay: whoever undoes a call drops its
// events.
func (s *state) restore(saved *state) {
	events := s.events
	*s = *saved
	s.events = events
}
