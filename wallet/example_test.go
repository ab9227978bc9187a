package wallet_test

import (
	"fmt"
	"os"

	"targon/wallet"
)

func Example() {
	root, err := os.MkdirTemp("", "wallets")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	w, err := wallet.At(root, "mine", "server-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	k, err := wallet.FromURI("//Alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.SaveHotkey(k, nil))
	signer, err := w.LoadHotkey(nil)
	fmt.Println(signer, err)
	fmt.Println(k)
	// Output:
	// <nil>
	// 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY <nil>
	// [secret]
}
