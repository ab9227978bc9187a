package targon

// Evidence is the running e-value of one prover in one month, kept by one
// verifier. It is a count and a fixed-point logarithm, so that every order of
// summing gives the same bits.
type Evidence struct {
	Prover     Hotkey `json:"prover"`
	Month      Month  `json:"month"`
	Matches    uint64 `json:"matches"`    // audited requests that agreed
	Mismatches uint64 `json:"mismatches"` // confirmed to disagree
	Tokens     uint64 `json:"tokens"`     // ids covered by both
	// LogE is the natural logarithm of the e-value in units of 1e-9.
	LogE int64 `json:"log_e_nano"`
	// Convicted stays set until the month ends; ConvictedAt is Tokens at that time.
	Convicted   bool   `json:"convicted"`
	ConvictedAt uint64 `json:"tokens_to_conviction"`
	Reason      Reason `json:"reason"` // of the verdict that convicted
}
