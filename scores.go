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
	Drawn   Draw     `json:"draw"`    // the distribution that the request's sampling draws from
}

// Draw describes the distribution that an id was drawn from: temperature T, and the
// filters, applied to the logits of a position. With m the highest logit and
// x = (logit - m) / T, ids have weights e^x, and an allowed id has the probability
// p = e^(x - Norm) / Kept. All is 0 at temperature 0, where nothing is drawn.
//
// These are measured, not exact: weights may carry the rounding of float32, about 1e-7.
// No verdict on equality looks at more than Allowed
// and Last, which are exact.
type Draw struct {
	Norm float64 `json:"norm"` // ln Σ e^x over all ids, from 0 to ln of their number
	// Allowed is how many ids the filters allow, a head of the order of Position.Top; 0
	// when the request sets no filter.
	Allowed uint32  `json:"allowed"`
	Last    Scored  `json:"last"` // the last of the allowed ids, when there is a filter
	Kept    float64 `json:"kept"` // share of the weights that the allowed ids have; 1 without a filter
	// Entropy and Varentropy are mean and variance of -ln p of an id that is drawn so.
	Entropy    float64 `json:"entropy"`
	Varentropy float64 `json:"varentropy"`
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
