package ledgertest_test

import (
	"context"
	"fmt"
	"testing"

	"targon"
	"targon/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Run(t, func(testing.TB) ledgertest.Opener { return new(ledgertest.Memory).Open })
}

func ExampleMemory() {
	var m ledgertest.Memory
	if err := m.Append(context.Background(), targon.WeightsSet{Epoch: 1, Block: 362}); err != nil {
		fmt.Println(err)
	}
	for e, err := range m.All(context.Background()) {
		fmt.Println(e, err)
	}
	// Output: {1 362} <nil>
}
