package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"targon"
	"targon/engine/native"
	"targon/engine/native/chat"
)

// A problem is an error that clients are told, in the words of vLLM: OpenAI's error
// object with the status as its code.
type problem struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    int     `json:"code"`
}

func (p *problem) Error() string { return p.Message }

// Types of problems.
const (
	typeBad      = "BadRequestError"
	typeNotFound = "NotFoundError"
	typeDenied   = "PermissionDeniedError"
	typeInternal = "InternalServerError"
	typeBusy     = "ServiceUnavailableError"
)

var (
	errRoute   = &problem{Message: "no such route", Type: typeNotFound, Code: http.StatusNotFound}
	errMethod  = &problem{Message: "method not allowed", Type: typeBad, Code: http.StatusMethodNotAllowed}
	errForeign = &problem{Message: "a page of another site may not ask here", Type: typeDenied, Code: http.StatusForbidden}
	errLarge   = &problem{Message: "request body is larger than 4 MiB", Type: typeBad, Code: http.StatusRequestEntityTooLarge}
	errCoding  = &problem{Message: "request body must not be compressed", Type: typeBad, Code: http.StatusUnsupportedMediaType}
	errEarly   = &problem{Message: "request body ended early", Type: typeBad, Code: http.StatusBadRequest}
	errBusy    = &problem{Message: "too many requests are being answered", Type: typeBusy, Code: http.StatusServiceUnavailable}
)

// badField refuses a request for one of its fields, badBody for its form.
func badField(field, format string, args ...any) error {
	return &problem{field + ": " + fmt.Sprintf(format, args...), typeBad, &field, http.StatusBadRequest}
}

func badBody(format string, args ...any) error {
	return &problem{fmt.Sprintf(format, args...), typeBad, nil, http.StatusBadRequest}
}

// theirs are errors of the engine that a request has caused.
var theirs = []error{
	targon.ErrRequest, native.ErrNoTokenizer,
	chat.ErrRefused, chat.ErrRender, chat.ErrLimit,
}

// explain is the one place where an error becomes what clients see. Of what is ours
// they learn nothing.
func explain(err error) (p *problem, ours bool) {
	if errors.As(err, &p) {
		return p, false
	}
	if errors.Is(err, targon.ErrBusy) {
		return errBusy, false
	}
	if errors.Is(err, native.ErrNoTemplate) {
		says := fmt.Sprintf("%v: send the prompt as text to /v1/completions, or serve a file that has tokenizer.chat_template", err)
		return &problem{says, typeBad, nil, http.StatusBadRequest}, false
	}
	for _, e := range theirs {
		if errors.Is(err, e) {
			return &problem{err.Error(), typeBad, nil, http.StatusBadRequest}, false
		}
	}
	return &problem{"internal error", typeInternal, nil, http.StatusInternalServerError}, true
}

type failure struct {
	Error *problem `json:"error"`
}

// failure explains an error and logs it when it is ours.
func (s *Server) failure(ctx context.Context, err error) failure {
	p, ours := explain(err)
	if ours && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "request failed", "error", err)
	}
	return failure{p}
}

func (s *Server) writeError(ctx context.Context, w http.ResponseWriter, err error) {
	f := s.failure(ctx, err)
	if f.Error.Code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, f.Error.Code, f)
}

// pieceSize is how much of an answer is written within one writeTime.
const pieceSize = 64 << 10

// writeJSON writes an answer. Who has gone away is not told, and who does not read it
// holds nothing for ever.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := encode(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"message":"internal error","type":"`+typeInternal+`","param":null,"code":500}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	rc := http.NewResponseController(w) // writers that have no deadline (tests) need none
	_ = rc.SetWriteDeadline(time.Now().Add(writeTime))
	w.WriteHeader(status)
	for piece := range slices.Chunk(b, pieceSize) {
		_ = rc.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// encode returns JSON that leaves <, > and & as they are, like Python's.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
