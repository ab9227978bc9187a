package kernel

import "golang.org/x/sys/cpu"

func hasFMA() bool { return cpu.X86.HasFMA }

func hardwareFMA(a, b, c []float32) { avxFMA(&a[0], &b[0], &c[0], len(c)*4) }
