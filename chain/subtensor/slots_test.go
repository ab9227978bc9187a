package subtensor_test

import (
	"errors"
	"testing"

	"targon"
	"targon/chain/subtensor"
)

// TestSlotsAt: hotkeys have the slots that the chain shows, and strangers none.
func TestSlotsAt(t *testing.T) {
	f := newFake(t)
	c := subtensor.New(f, 2, nil)
	got, err := c.SlotsAt(t.Context(), 73, f.hotkey(1), targon.Hotkey{9}, f.hotkey(0))
	if err != nil || len(got) != 3 || got[0] != (subtensor.Slot{UID: 1, Taken: true}) || got[1] != (subtensor.Slot{}) || got[2] != (subtensor.Slot{UID: 0, Taken: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := subtensor.New(f, 3, nil).SlotsAt(t.Context(), 73, f.hotkey(1)); err != nil || got[0].Taken {
		t.Errorf("on another subnet: %+v, %v", got, err)
	}
	if _, err := c.SlotsAt(t.Context(), 74, f.hotkey(1)); !errors.Is(err, subtensor.ErrNoBlock) {
		t.Errorf("at a block that is not there yet: %v", err)
	}
}
