//go:build !amd64 && !arm64

package kernel

func kernels() []*Kernel { return []*Kernel{portable()} }
