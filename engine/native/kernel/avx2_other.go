//go:build !amd64

package kernel

func kernels() []*Kernel { return []*Kernel{portable()} }
