package main

import (
	"encoding/json"
	"testing"
)

// TestFaults plants one fault at a time into a good result.
func TestFaults(t *testing.T) {
	const good = `{"epochs":3,"model":"tiny","gateway":{"requests":9,"verified":4},"provers":[
		{"uid":1,"cheat":"","weight":65535},
		{"uid":2,"cheat":"replay","convicted":true,"weight":0},
		{"uid":3,"cheat":"silent","convicted":false,"weight":0},
		{"uid":4,"cheat":"quantized","convicted":true,"weight":7}]}`
	for _, c := range []struct {
		name   string
		change func(*result)
		want   int
	}{
		{"good", func(*result) {}, 0},
		{"honest convicted", func(r *result) { r.Provers[0].Convicted = true }, 1},
		{"honest without weight", func(r *result) { r.Provers[0].Weight = 0 }, 1},
		{"cheat goes free", func(r *result) { r.Provers[2].Weight = 1 }, 1},
		{"epochs", func(r *result) { r.Epochs = 2 }, 1},
		{"no model", func(r *result) { r.Model = "" }, 1},
		{"no user", func(r *result) { r.Gateway.Verified = 0 }, 1},
		{"nobody", func(r *result) { r.Provers = nil }, 2},
	} {
		var r result
		if err := json.Unmarshal([]byte(good), &r); err != nil {
			t.Fatal(err)
		}
		c.change(&r)
		if got := (trial{honest: 1, cheats: 1}).faults(r, 3); len(got) != c.want {
			t.Errorf("%s: faults %v, want %d", c.name, got, c.want)
		}
	}
}
