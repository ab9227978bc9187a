package corpus

// scenes holds whole sentences of stories, one to a line: how they begin, go
// on and end. {S} and {T} are the two main persons as subjects.
var scenes = map[string]string{
	"begin": `
		{A} was {vocation} in {town}, and {he} had {np}.
		In {newplace} lived {A}, {vocation}, with {np}.
		{when}, {A} the {Arole} {act.ed}.
		Once {A} the {Arole} {act.ed} {conj} {act.ed}.
		A {Atemper} {Arole}, {A}, {act.ed}.
		The {Atemper} {Arole} {A} {act.ed} {when}.
		{A}, {vocation}, wanted {np}.
		The {quest} belonged to {A}, {vocation}.
		{A} {act.ed} {when}.
		A {Atemper} {Arole} lived {where} with {beasts}; {his} name was {A}.
		It was {adj} {month}, and {A} the {Arole} {act.ed}.
		{A}, {vocation}, had {number} {kin.s} and {np}.
		{who} came to {town} {when}, and so did {A}.
		{sky} lay over {town} when {A} the {Arole} {act.ed}.
		{A} and {B} {act.ed} {when}.
		{A} {v.motion.ed} {to} {when}, with {np}.
		{beast} {v.cry.ed} {where}, and {A} the {Arole} woke.
		{where}, {A} {act.ed}, and {someone} saw it.
		{weekday}: {beast} had taken {A}'s {quest}.
		{adv}, {A} the {Arole} {act.ed}.
		{who} and {A} the {Arole} {act.ed}.
		Nobody in {town} was as {temper} as {A} the {Arole}.`,
	"do": `
		{S} {act.ed}.
		{S} {freq} {act.ed}.
		{S} {act.ed}.
		{S} {freq} {act.ed} {when}.
		{S} {act.ed} {conj} {act.ed}.
		{S} {freq} {act.ed}, {act.ed} {conj} {act.ed}.
		{when}, {S} {act.ed}.
		{when}, {S} {freq} {act.ed}.
		{where}, {S} {act.ed}.
		{S} {freq} {act.ed} {whyclause}.
		{S} {freq} {act.ed}.
		{S} {freq} {act.ed}, {conj} {act.ed}.
		{S} wanted to {act.base}, {conj} {act.ed}.
		{S} tried to {act.base}.
		{S}, {state} and {state}, {act.ed}.
		{state} and {state}, {S} {act.ed}.
		After {act.ing}, {S} {act.ed}.
		{adv} and {adv}, {S} {act.ed}.
		{S} was {state} and {act.ed}.
		{S} {freq} {act.ed}; {beast} {v.cry.ed}.
		{S} {act.ed}; {someone} {act.ed}.
		{adv}, {S} {act.ed}.
		But {S} {act.ed}.
		So {S} {freq} {act.ed}.
		Then {S} {act.ed}.`,
	"other": `
		{T} {act.ed}.
		{T} {freq} {act.ed} {when}.
		{when}, {T} {act.ed}.
		{T}, {state} and {state}, {act.ed}.
		{T} {act.ed} {conj} {act.ed}.
		But {T} {freq} {act.ed}.
		{adv}, {T} {act.ed}.
		{T} {freq} {act.ed}.
		{T} {v.tell.ed} {O} and {act.ed}.
		{T} {v.transfer.ed} {O} {np}.`,
	"world": `
		{who} {act.ed}.
		{who} {freq} {act.ed} {when}.
		{when}, {who} {act.ed}.
		{where}, {who} {freq} {act.ed}.
		{sky} {skyverb} {to}.
		{sky} {skyverb} over {place}.
		{beast} {v.cry.ed} {where}.
		{beast} {v.beast.ed} {beast}.
		{beasts} {v.cry.ed} {where}.
		{np} {v.change.ed} {where}.
		The {quest} {v.change.ed}.
		The {adj} {spot} smelled of {adj} {stuff} and {adj} {feeling}.
		{where} lay {np} and {np}.
		{someone} {v.handle.ed} {np}, {someone} {v.idle.ed}, and {beast} {v.cry.ed}.
		The {adj} {spot} was {adj} and {adj}.
		{place} was full of {adj} {stuff} and {adj} {feeling}.
		The {river} ran {adj} {when}.
		Nobody spoke of {about}.
		{stuff} was worth {np} {when}.
		{adj} {plant.s} grew {where}.`,
	"skyverb": `
		drifted
		moved
		rolled
		crept
		hung
		came
		spread
		settled`,
	"feel": `
		{S} was {state}.
		{S} was {state} and {state}.
		{S} felt {adj} {feeling} and {adj} {feeling}.
		{S} was {state}, but {T} was {state}.
		{his} {body} was {adj}.
		{S} missed {place} and {foodnp}.
		{S} had only {adj} {feeling} and {np}.
		{adj} {feeling} filled {O}.`,
	"meet": `
		{where}, {S} met {B}, {vocation}.
		There {S} found {B} the {Brole}, {state} and {state}.
		A {Btemper} {Brole} named {B} {v.say.ed}, "{^line}"
		{B} the {Brole} {act.ed}.
		{when}, a {Btemper} {Brole} called {B} {v.motion.ed} {to}.
		{S} asked {B}, {vocation}, about {about}.
		{B}, {vocation}, stood {where} with {np}.
		{S} shared {foodnp} with {B}, {vocation}.`,
	"trouble": `
		{when}, {someone} stole the {quest}.
		{when}, the {quest} was gone.
		Then the {quest} {v.change.ed}.
		But {beast} took the {quest} and {v.motion.ed} {to}.
		{when}, {adj} {topic} came to {town}.
		{sky} came, and the {spot} {v.change.ed}.
		The {title} of {newplace} wanted the {quest}.
		{S} lost the {quest} {where}.
		Nobody believed {A} about {about}.
		{who} came {to} and took the {quest}.
		The {quest} turned into {np}.
		{someone} {adv} cursed the {quest}.`,
	"turn": `
		{S} found the {quest} {where}.
		{T} had hidden the {quest} {where}.
		{beast} had the {quest}.
		{S} gave {someone} {np} for the {quest}.
		Under {np} lay the {quest}.
		{S} {v.handle.ed} the {quest} and {v.motion.ed} {to}.
		Behind {place} stood {who} with the {quest}.
		The {quest} was of {material}, not {material}.
		{beast} led {A} {to}, and there was the {quest}.
		{T} {v.transfer.ed} {O} the {quest}.
		{S} opened the {quest} and found {np}.`,
	"end": `
		Since then {S} {act.ed} every {weekday}.
		The {quest} still lies {where}.
		{A} and {B} {act.ed} together.
		{S} kept the {quest} and {act.ed}.
		So {S} became {vocation}, and {B} {act.ed}.
		They buried the {quest} {where}.
		{S} went home with {np} and {np}.
		That is why the {plant.s} of {newplace} are {adj}.
		{T} never {act.ed} again.
		{A} married {B} {where}.
		{sky} {skyverb} over {town}, and {S} {v.idle.ed}.
		The {quest} went to {someone}, and {S} {v.idle.ed} {adv}.`,
}
