package gateway

import (
	"errors"
	"testing"
	"time"
)

func TestDoorConcurrent(t *testing.T) {
	d := newDoor([]Key{{SHA256: HashKey("a"), Concurrent: 2}, {SHA256: HashKey("b")}})
	p, err := d.enter("Bearer a", at(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.enter("Bearer a", at(0)); err != nil {
		t.Error("a second place was refused")
	}
	if _, err := d.enter("Bearer a", at(0)); !errors.Is(err, errBusyKey) {
		t.Errorf("third place: %v", err)
	}
	if _, err := d.enter("Bearer b", at(0)); err != nil {
		t.Errorf("another key: %v", err)
	}
	p.leave()
	if _, err := d.enter("Bearer a", at(0)); err != nil {
		t.Errorf("after leaving: %v", err)
	}
}

func TestDoorBucket(t *testing.T) {
	type visit struct {
		second int
		wait   time.Duration // 0: let in
	}
	for _, c := range []struct {
		name   string
		key    Key
		visits []visit
	}{
		{"no limit", Key{}, []visit{{0, 0}, {0, 0}, {0, 0}}},
		{"a minute's worth at once", Key{PerMinute: 2}, []visit{{0, 0}, {0, 0}, {0, 30 * time.Second}, {29, time.Second}, {30, 0}, {30, 30 * time.Second}}},
		{"burst is the cap", Key{PerMinute: 60, Burst: 2}, []visit{{0, 0}, {0, 0}, {0, time.Second}, {1000, 0}, {1000, 0}, {1000, time.Second}}},
	} {
		c.key.SHA256 = HashKey("k")
		d := newDoor([]Key{c.key})
		for i, v := range c.visits {
			_, err := d.enter("Bearer k", at(v.second))
			limit, limited := errors.AsType[*limitError](err)
			if (v.wait > 0) != limited {
				t.Fatalf("%s: visit %d: %v, want a wait of %v", c.name, i, err, v.wait)
			}
			if limited && (limit.after-v.wait).Abs() > time.Millisecond {
				t.Errorf("%s: visit %d: wait %v, want %v", c.name, i, limit.after, v.wait)
			}
		}
	}
}

func TestExplainHidesWhatIsOurs(t *testing.T) {
	status, p := explain(errors.New("open /secret/path: no such file"))
	if status != 500 || p.Message != "internal error" || p.Type != "server_error" {
		t.Errorf("%d %+v", status, p)
	}
}
