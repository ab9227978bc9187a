package kernel

func hasFMA() bool { return true }

func hardwareFMA(a, b, c []float32) { neonFMA(&a[0], &b[0], &c[0], len(c)/4) }
