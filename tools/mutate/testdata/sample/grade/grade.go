// Package grade has conditions that its tests hold, and some that they do not.
package grade

import "errors"

type named bool

const full = 3 > 2 // a constant: nothing to turn round

// Grade has every form of condition, all of which are tested.
func Grade(points, most int, retake bool) (string, error) {
	if points < 0 ||
		points > most { // over two lines
		return "", errors.New("points out of range")
	}
	switch {
	case points*2 >= most && !retake:
		return "pass", nil
	case retake:
		return "again", nil
	}
	return "fail", nil
}

// Sum ends, unless its condition is turned round.
func Sum(n uint64) (sum uint64) {
	for i := n; i > 0; i-- {
		sum += i
	}
	return sum
}

// Wait does not end when its condition is turned round, nor does it work.
func Wait(done bool) {
	never := make(chan int)
	if !done {
		<-never
	}
}

// Deep is called with a mutant's recursion at most once.
func Deep(n int) int {
	if n <= 1 {
		return 1
	}
	return n * Deep(n-1)
}

// Cap has an edge that no test of this package touches, but that of user does.
func Cap(n, most int) int {
	if n > most {
		return most + 1
	}
	return n
}

// Equal is reached, and nothing is made of what it says.
func Equal[T comparable](a, b T) bool { return a == b }

// Odd has a condition of a type of its own, which no test reaches.
func Odd(n int) named {
	if odd := named(n%2 != 0); odd {
		return odd
	}
	return false
}

// Limit cannot be caught at its boundary.
func Limit(n int) int {
	if n < 10 {
		return n
	}
	return 10
}
