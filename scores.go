package targon

// Need says what a check must know from the reference about each output position.
type Need struct {
	// Top is how many of the highest logits to return.
	Top int
	// Also lists, per output position, further ids whose logits are wanted.
	Also [][]TokenID
}

// Scored is one candidate at one position.
type Scored struct {
	ID    TokenID `json:"id"`
	Logit float32 `json:"logit"` // as the sampler sees it, before temperature and noise
}

// Position is what the reference says about one output position, given the
// prompt and the claimed ids before it.
type Position struct {
	Claimed Scored   `json:"claimed"`
	LogProb float64  `json:"logprob"` // natural log of the claimed id's probability at temperature 1
	Rank    uint32   `json:"rank"`    // how many ids have a higher logit, or the same and a lower id
	Top     []Scored `json:"top"`     // by falling logit, ties by rising id
	Also    []Scored `json:"also"`    // as asked for in Need.Also, in that order
}

// Scores is the reference's answer about one transcript: one prefill, and one
// Position for each output id.
type Scores struct {
	Weights   Digest     // what was run: must equal the request's
	Kernel    string     // which kernels computed it, for people
	Vocab     int        // ids from 0 to Vocab-1 exist
	EOS       []TokenID  // ids that end an answer, sorted
	Positions []Position // len(Tokens) of them
}
