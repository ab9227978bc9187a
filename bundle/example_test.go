package bundle_test

import (
	"fmt"
	"testing"

	"targon/bundle"
)

// ExampleCheck is checked as a test with a real model in the others of this package;
// here is what a report of a bundle with nothing in it looks like.
func ExampleCheck() {
	report := bundle.Check(bundle.Bundle{}, bundle.Aids{Why: "no model at hand"})
	fmt.Println(report.Holds(), len(report))
	l := report.Of(bundle.LineLedger)
	fmt.Println(l.Name+":", l.Result)
	// Output:
	// false 15
	// ledger: not checked
}

func TestResultsHaveNames(t *testing.T) {
	for r, want := range map[bundle.Result]string{bundle.OK: "ok", bundle.NotOK: "not ok", bundle.NotChecked: "not checked"} {
		if r.String() != want {
			t.Errorf("%d is %s", r, r)
		}
	}
}
