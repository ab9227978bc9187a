package tokenizer

import (
	"runtime"

	"targon"
)

// Encode returns the ids of a text, after BOS if that is asked for and there is
// one. Where the spelling of a user-defined token occurs, it becomes that token;
// the spelling of a control token is encoded like any other text.
func (t *Tokenizer) Encode(text string, bos bool) []targon.TokenID {
	return t.encode(&t.plain, text, bos)
}

// EncodeSpecial does the same for a rendered chat template: the spelling of a control
// token becomes that token as well.
func (t *Tokenizer) EncodeSpecial(text string, bos bool) []targon.TokenID {
	return t.encode(&t.special, text, bos)
}

// encode gives each special token its id and each stretch between them to the encoder
// as a text of its own.
func (t *Tokenizer) encode(special *index, text string, bos bool) []targon.TokenID {
	ids := []targon.TokenID{}
	if bos && t.bos != absent {
		ids = append(ids, t.bos)
	}
	from := 0
	for i := 0; i < len(text) && !special.empty; {
		id, n, ok := special.at(text[i:])
		if !ok {
			i++
			continue
		}
		ids = append(t.stretch(ids, text[from:i]), id)
		i += n
		from = i
	}
	ids = t.stretch(ids, text[from:])
	runtime.KeepAlive(t)
	return ids
}

func (t *Tokenizer) stretch(ids []targon.TokenID, text string) []targon.TokenID {
	if text == "" {
		return ids
	}
	return t.encoder.encode(ids, text)
}
