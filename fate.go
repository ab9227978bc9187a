package targon

// Fate says what became of a user's answer, as far as its bundle goes.
type Fate uint8

// Fates. Their numbers are on the wire of a gateway's desk: appended to, never reordered.
const (
	FateUnknown   Fate = iota // it was never recorded, or too long ago
	FateWaiting               // for its draw, or for its judgement
	FateJudged                // its bundle is made when its epoch closes
	FateReady                 // there is a bundle
	FateNotDrawn              // the draw spared it: nobody looked at it
	FateOptedOut              // its user kept it out of the draw
	FateUndecided             // a fault of the verifier's kept it from being judged
	FateGone                  // it was judged, and its bundle is not kept, or not any more
)

var fateNames = [...]string{"unknown", "waiting", "judged", "ready", "not drawn", "opted out", "undecided", "gone"}

// String returns the words for people.
func (f Fate) String() string {
	if int(f) < len(fateNames) {
		return fateNames[f]
	}
	return "unknown"
}

// Valid reports whether f is one of the fates above.
func (f Fate) Valid() bool { return int(f) < len(fateNames) }

// FateOf is the fate that the reason of a verdict leaves an answer, before its epoch has
// closed: none yet is waiting.
func FateOf(r Reason) Fate {
	switch r {
	case ReasonNone:
		return FateWaiting
	case ReasonNotDrawn:
		return FateNotDrawn
	case ReasonOptedOut:
		return FateOptedOut
	case ReasonEqual, ReasonWithin, ReasonMismatch, ReasonMargin, ReasonTermination, ReasonSignature, ReasonChain,
		ReasonStructure, ReasonBuffered, ReasonBufferedLone, ReasonUnconfirmed, ReasonAmbiguous, ReasonUncalibrated:
		return FateJudged
	default:
		return FateUndecided
	}
}
