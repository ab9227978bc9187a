// Package user uses grade.
package user

import "sample/grade"

// Score is at most 3.
func Score(n int) int { return grade.Cap(n, 3) }
