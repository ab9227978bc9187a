package grade

import "testing"

func TestGrade(t *testing.T) {
	for _, c := range []struct {
		points, most int
		retake       bool
		want         string
	}{
		{-1, 10, false, ""},
		{11, 10, false, ""},
		{10, 10, false, "pass"},
		{5, 10, false, "pass"},
		{4, 10, false, "fail"},
		{0, 10, false, "fail"},
		{5, 10, true, "again"},
		{0, 10, true, "again"},
	} {
		got, err := Grade(c.points, c.most, c.retake)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("Grade(%d, %d, %v): %q, %v, want %q", c.points, c.most, c.retake, got, err, c.want)
		}
	}
}

func TestEnds(t *testing.T) {
	if Sum(4) != 10 || Deep(3) != 6 {
		t.Error(Sum(4), Deep(3))
	}
	Wait(true)
}

func TestCap(t *testing.T) {
	if Cap(2, 3) != 2 || Cap(9, 3) != 4 || Limit(9) != 9 || Limit(10) != 10 || Limit(12) != 10 {
		t.Error("capped wrongly")
	}
	Equal(1, 2)
}
