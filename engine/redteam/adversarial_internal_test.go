package redteam

import (
	"testing"

	"targon/engine/native"
	"targon/model"
)

// TestAdversarial: at the temperature that is found, ids of 4 bits surprise the true
// model about as much as its own would: less where it is colder, more where it is warmer.
func TestAdversarial(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	loaded, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	honest, err := native.New(loaded, native.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{model: loaded, honest: honest, options: native.Options{Threads: 1}, seed: 1}
	e, err := adversarial(m)
	if err != nil {
		t.Fatal(err)
	}
	found, ok := e.(retempered)
	if !ok {
		t.Fatalf("%T", e)
	}
	start := loaded.Encode("A", true)
	at := func(factor float64) float64 {
		v, err := m.surplus(found.inner, factor, start)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if low, high := at(found.factor-0.2), at(found.factor+0.2); low >= 0 || high <= 0 {
		t.Errorf("around a factor of %v, surpluses of %v and %v", found.factor, low, high)
	}
}

// TestPlausible: typical acceptance takes temperature 0 for 1.
func TestPlausible(t *testing.T) {
	logits := []float32{0.5, 0}
	for _, c := range []struct {
		temperature float64
		want        bool // of the second id
	}{{1, true}, {0, true}, {0.1, false}} {
		if !plausible(logits, 0, c.temperature) || plausible(logits, 1, c.temperature) != c.want {
			t.Errorf("at %v: the second is plausible %v, want %v", c.temperature, !c.want, c.want)
		}
	}
}
