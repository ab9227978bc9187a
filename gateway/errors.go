package gateway

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// What can be wrong with a request. The texts are for users.
var (
	errKey     = errors.New("missing or unknown API key: send Authorization: Bearer <key>")
	errBusyKey = errors.New("too many requests for this key")
	errQuota   = errors.New("this key has used all of its tokens of today")
	errBody    = errors.New("invalid request body")
	errLarge   = errors.New("request body is larger than 1 MiB")
	errCoding  = errors.New("request body must not be compressed")
	errModel   = errors.New("model is not served here")
	errContext = errors.New("prompt does not fit the model's context")
	errMethod  = errors.New("method not allowed")
	errRoute   = errors.New("no such route")
)

// What can be wrong with us or with provers.
var (
	errNoProver = errors.New("no verified prover can take the request now")
	errBusy     = errors.New("all provers are busy")
	errProver   = errors.New("the prover failed")
	errReceipt  = fmt.Errorf("%w: its receipt does not cover its answer", errProver)
	errCrowded  = errors.New("too many long prompts at the same time")
	errTimeout  = errors.New("the answer took too long")
	errGone     = errors.New("the client closed its side of the connection before the answer was there")
)

// fieldError is a field of the body that cannot be honoured.
type fieldError struct {
	field, text string
	kind        error // errBody, or what else it is
}

func (e *fieldError) Error() string { return e.field + ": " + e.text }
func (e *fieldError) Unwrap() error { return e.kind }

func badField(field, format string, args ...any) error {
	return &fieldError{field, fmt.Sprintf(format, args...), errBody}
}

// limitError says when to come back.
type limitError struct{ after time.Duration }

func (e *limitError) Error() string { return errBusyKey.Error() }
func (e *limitError) Unwrap() error { return errBusyKey }

// problem is OpenAI's error object.
type problem struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// classes maps errors to what users see. The first match counts.
var classes = []struct {
	err    error
	status int
	typ    string
	code   string
}{
	{errKey, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key"},
	{errBusyKey, http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded"},
	{errQuota, http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota"},
	{errLarge, http.StatusRequestEntityTooLarge, "invalid_request_error", "request_too_large"},
	{errCoding, http.StatusUnsupportedMediaType, "invalid_request_error", ""},
	{errContext, http.StatusBadRequest, "invalid_request_error", "context_length_exceeded"},
	{errBody, http.StatusBadRequest, "invalid_request_error", ""},
	{errModel, http.StatusNotFound, "invalid_request_error", "model_not_found"},
	{errMethod, http.StatusMethodNotAllowed, "invalid_request_error", ""},
	{errRoute, http.StatusNotFound, "invalid_request_error", "unknown_url"},
	{errReceiptUnknown, http.StatusNotFound, "invalid_request_error", "receipt_not_found"},
	{errReceiptWaits, http.StatusConflict, "invalid_request_error", "receipt_not_judged"},
	{errReceiptOpen, http.StatusConflict, "invalid_request_error", "receipt_epoch_open"},
	{errReceiptSpared, http.StatusNotFound, "invalid_request_error", "receipt_not_drawn"},
	{errReceiptOptOut, http.StatusNotFound, "invalid_request_error", "receipt_opted_out"},
	{errReceiptFault, http.StatusNotFound, "invalid_request_error", "receipt_undecided"},
	{errReceiptGone, http.StatusNotFound, "invalid_request_error", "receipt_not_kept"},
	{errNoProver, http.StatusServiceUnavailable, "server_error", "no_prover"},
	{ErrNeuron, http.StatusServiceUnavailable, "server_error", "no_prover"},
	{errBusy, http.StatusServiceUnavailable, "server_error", "overloaded"},
	{ErrUnavailable, http.StatusServiceUnavailable, "server_error", "verifier_unavailable"},
	{errCrowded, http.StatusServiceUnavailable, "server_error", "overloaded"},
	{errTimeout, http.StatusGatewayTimeout, "server_error", "timeout"},
	{errGone, statusGone, "server_error", "client_closed_request"},
	{errProver, http.StatusBadGateway, "server_error", "prover_failed"},
}

// statusGone is what nginx notes of a client that closed the connection; no standard has
// a number for it.
const statusGone = 499

// explain is the one place where an error becomes a status and OpenAI's error
// object. What is not listed is ours: users learn nothing about it.
func explain(err error) (int, problem) {
	for _, c := range classes {
		if !errors.Is(err, c.err) {
			continue
		}
		p := problem{Message: err.Error(), Type: c.typ}
		if errors.Is(c.err, errGone) || errors.Is(c.err, ErrUnavailable) || errors.Is(c.err, ErrNeuron) {
			p.Message = c.err.Error() // where the verifier is, and what it said, is ours
		}
		if c.code != "" {
			p.Code = &c.code
		}
		if f, ok := errors.AsType[*fieldError](err); ok {
			p.Param = &f.field
		}
		return c.status, p
	}
	return http.StatusInternalServerError, problem{Message: "internal error", Type: "server_error"}
}

func writeError(w http.ResponseWriter, err error) {
	status, p := explain(err)
	if l, ok := errors.AsType[*limitError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(l.after.Seconds())))))
	} else if l, ok := errors.AsType[*laterError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(l.after.Seconds())))
	} else if errors.Is(err, ErrUnavailable) {
		w.Header().Set("Retry-After", "5") // a restart takes about as long
	} else if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, status, map[string]problem{"error": p})
}
