package user

import "testing"

func TestScore(t *testing.T) {
	if Score(3) != 3 {
		t.Error(Score(3))
	}
}
