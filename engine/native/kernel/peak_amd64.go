package kernel

//go:noescape
func avx2Chains(n int)

//go:noescape
func avx512Chains(n int)

//go:noescape
func addChain(n int)
