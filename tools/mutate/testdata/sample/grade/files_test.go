package grade

import (
	"os"
	"testing"
)

// TestFiles reads what lies beside and above it, and leaves something behind.
func TestFiles(t *testing.T) {
	for _, name := range []string{"grade.go", "../user/user.go", "../go.mod"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile("left.behind", nil, 0o600); err != nil {
		t.Error(err)
	}
	if Equal(1, 1) { // so that it has something to do with a condition
		return
	}
}
