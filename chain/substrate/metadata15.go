package substrate

import "targon/scale"

// A Function is a method of a runtime API: its full name ("Api_method"), its arguments and
// its result.
type Function struct {
	API, Method string
	Args        []Argument
	Result      TypeID
}

// An Argument is one of a Function's.
type Argument struct {
	Name string
	Type TypeID
}

// Extra is what metadata of version 15 says beyond that of version 14: the parts of the
// extrinsic's type, the runtime's enums, and the runtime APIs. Functions of one API stand
// together.
type Extra struct {
	Address, Call, Signature, Extensions TypeID
	Event, Error                         TypeID
	Functions                            []Function
}

// Bytes15 encodes the metadata as version 15, which a development chain serves to clients
// that read runtime APIs out of it. It is written and not read here. Source:
// frame-metadata of paritytech, src/v15.rs.
func (m *Metadata) Bytes15(e Extra) []byte {
	w := &scale.Writer{}
	w.U32(magic)
	w.U8(15)
	m.Types.write(w)
	scale.WriteVec(w, m.Pallets, func(w *scale.Writer, p Pallet) {
		writePallet(w, p)
		w.Len(0) // docs
	})
	w.U8(m.Extrinsic.Version)
	for _, id := range []TypeID{e.Address, e.Call, e.Signature, e.Extensions} {
		writeTypeID(w, id)
	}
	scale.WriteVec(w, m.Extrinsic.Extensions, writeExtension)
	writeTypeID(w, m.Runtime)
	scale.WriteVec(w, byAPI(e.Functions), writeAPI)
	for _, id := range []TypeID{e.Call, e.Event, e.Error} {
		writeTypeID(w, id)
	}
	w.Len(0) // custom values
	return w.Bytes()
}

// byAPI cuts functions into the lists of each API.
func byAPI(all []Function) (out [][]Function) {
	for i, f := range all {
		if i == 0 || f.API != all[i-1].API {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], f)
	}
	return out
}

func writeAPI(w *scale.Writer, list []Function) {
	w.Str(list[0].API)
	scale.WriteVec(w, list, func(w *scale.Writer, f Function) {
		w.Str(f.Method)
		scale.WriteVec(w, f.Args, func(w *scale.Writer, a Argument) {
			w.Str(a.Name)
			writeTypeID(w, a.Type)
		})
		writeTypeID(w, f.Result)
		w.Len(0) // docs
	})
	w.Len(0) // docs
}
