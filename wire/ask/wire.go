package ask

// The wire shapes that prover and asker share; docs/PROTOCOL.md describes them.
const (
	// Path takes a signed POST of a targon.Request and answers with an event stream.
	Path = "/targon/v1/ask"
	// CapacityPath answers a GET with a signed targon.Capacity.
	CapacityPath = "/targon/v1/capacity"

	// EventToken is the name of an event that carries one targon.Token: none.
	EventToken = ""
	// EventReceipt names the last event of a complete stream, a targon.Receipt.
	EventReceipt = "receipt"
	// EventError names the last event of a stream that failed, a [Failure].
	EventError = "error"

	// MaxRequestBody bounds the JSON of a request, on both sides.
	MaxRequestBody = 2 << 20
)

// Failure is the body of a refusal and of an error event.
type Failure struct {
	Error struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    string `json:"code"`
	} `json:"error"`
}
