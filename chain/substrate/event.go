package substrate

import (
	"fmt"

	"targon/scale"
)

// Event is one record of System.Events.
type Event struct {
	Phase  Variant // ApplyExtrinsic with its index, Finalization or Initialization
	Pallet string
	Name   string
	Fields []EventField
	Topics any

	PalletIndex, Index uint8
}

// EventField is a part of an event; Name is empty for those that have none.
type EventField struct {
	Name  string
	Raw   []byte
	Value any
}

// Extrinsic returns the place in its block of the extrinsic that the event is from.
func (e Event) Extrinsic() (int, bool) {
	n, ok := e.Phase.Value.(uint64)
	return int(n), ok && e.Phase.Name == "ApplyExtrinsic"
}

// Is reports whether the event is pallet.name.
func (e Event) Is(pallet, name string) bool { return e.Pallet == pallet && e.Name == name }

// Get returns the value of a field, or nil.
func (e Event) Get(name string) any {
	for _, f := range e.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// Events decodes the value of System.Events.
func (m *Metadata) Events(raw []byte) ([]Event, error) {
	if len(raw) == 0 {
		return nil, nil // nothing stored: no events
	}
	phase, topics, err := m.eventTypes()
	if err != nil {
		return nil, err
	}
	r := scale.NewReader(raw)
	d := m.Types.decoder(r)
	out := scale.ReadVec(r, func(r *scale.Reader) Event {
		var e Event
		e.Phase, _ = d.value(phase, 0).(Variant)
		m.readEvent(d, &e)
		e.Topics = d.value(topics, 0)
		return e
	})
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("decode events: %w", err)
	}
	return out, nil
}

// eventTypes returns the types of a record's phase and topics.
func (m *Metadata) eventTypes() (phase, topics TypeID, err error) {
	_, entry, err := m.Entry("System", "Events")
	if err != nil {
		return 0, 0, err
	}
	list, ok := m.Types.Type(entry.Value).Def.(Sequence)
	if !ok {
		return 0, 0, fmt.Errorf("%w: System.Events is no list", ErrMetadata)
	}
	record, ok := m.Types.Type(list.Elem).Def.(Composite)
	if !ok || len(record.Fields) != 3 {
		return 0, 0, fmt.Errorf("%w: System.Events is no list of phase, event and topics", ErrMetadata)
	}
	return record.Fields[0].Type, record.Fields[2].Type, nil
}

func (m *Metadata) readEvent(d *decoder, e *Event) {
	e.PalletIndex, e.Index = d.r.U8(), d.r.U8()
	if d.r.Err() != nil {
		return
	}
	p, err := m.PalletAt(e.PalletIndex)
	if err != nil {
		d.r.Fail("event of %v", err)
		return
	}
	v, ok := m.Types.variants(p.Events).at(e.Index)
	if !ok {
		d.r.Fail("event %d of %s", e.Index, p.Name)
		return
	}
	e.Pallet, e.Name = p.Name, v.Name
	for _, f := range v.Fields {
		at := d.r.Offset()
		value := d.value(f.Type, 0)
		if d.r.Err() != nil {
			return
		}
		e.Fields = append(e.Fields, EventField{fieldName(f), copied(d.r.Since(at)), value})
	}
}
