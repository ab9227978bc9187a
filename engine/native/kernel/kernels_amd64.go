package kernel

import "golang.org/x/sys/cpu"

// kernels returns what this processor can run, by falling speed as measured on a Zen 4.
func kernels() []*Kernel {
	all := []*Kernel{portable()}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C {
		all = append([]*Kernel{avx2()}, all...)
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
			all = append([]*Kernel{avx512()}, all...)
		}
	}
	return all
}
