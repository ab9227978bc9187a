package corpus

// talk holds what people say to each other, one utterance to a line.
var talk = map[string]string{
	"said": `
		"{^line}" {v.say.ed} {A}.
		"{^line}" {v.say.ed} {B}.
		"{^line}" {he} {v.say.ed}. "{^line}"
		{S} {v.say.ed}, "{^line}"
		{T} {v.say.ed}, "{^line}"
		{T} {v.say.ed} {adv}, "{^line}"
		"{^line}" {v.say.ed} {A}, and {act.ed}.
		"{^line}" {v.say.ed} {B} {adv}.
		"{^line}" {v.say.ed} {someone}.
		{someone} {v.say.ed}, "{^line}"
		"{^line}" {v.say.ed} {A} {adv}. "{^line}"
		"{^ask}" {v.say.ed} {someone}.
		{S} asked {P}, "{^ask}"
		{T} asked {O}, "{^ask}"`,
	"line": `
		{statement}.
		{statement}.
		{statement}.
		{statement}!
		{statement}, {call}.
		{statement}, and {statement}.
		{statement}, but {statement}.
		{command}.
		{command}!
		{command}, {call}.
		{^call}, {command}.
		{interjection}, {statement}.
		{interjection}, {call}. {^statement}.
		{ask}
		{interjection}! {^ask}`,
	"interjection": `
		Yes
		No
		Well
		Never
		Ah
		Alas
		Perhaps
		Indeed
		Listen
		Look
		Nonsense
		Good
		Of course
		By the {title} of {newplace}
		Heavens`,
	"statement": `
		I have {np}
		I have {np} for {someone}
		I {act.ed} {when}
		I {act.ed}
		I {freq} {act.ed}
		I can {act.base}
		I cannot {act.base}
		I must {act.base}
		I want to {act.base}
		I want {np}
		you must {act.base}
		you never {act.ed}
		you have {np}
		you are {vocation}
		we {act.ed} {when}
		we shall {act.base}
		we need {np} and {np}
		my {adj} {kin} {act.ed}
		my {adj} {kin} is {vocation}
		my {adj} {thing} is {adj}
		my {body} is {adj}
		your {adj} {kin} {act.ed}
		your {adj} {animal} {v.beast.ed} my {adj} {animal}
		{who} {act.ed}
		{who} {freq} {act.ed}
		{someone} has {np}
		there is {npsg} {where}
		the {adj} {spot} was {adj} {when}
		the {quest} is {where}
		the {topic} was {adj}
		{foodnp} would be better
		{adj} {feeling} is worth {np}
		that is {npsg}
		I am {state} and {state}
		I am {vocation}
		I was {state} {when}
		I dreamt of {about}
		{newname} told {newname} about {about}`,
	"command": `
		{act.base}
		{act.base} {when}
		do not {act.base}
		never {act.base}
		{v.handle.base} the {quest}
		{v.handle.base} {np}
		{v.handle.base} the {adj} {thing} and {v.handle.base} the {adj} {thing}
		give me {np}
		bring me {foodnp}
		come {to}
		go {adv} {to}
		show {someone} {np}
		wait {where}`,
	"ask": `
		Where is {npsg}?
		Where is {someone}?
		Who {act.ed}?
		Why are you so {state}?
		Why did {someone} {act.base}?
		Why did you {act.base}?
		What is {where}?
		When did you {act.base}?
		Did you {act.base}?
		Did {someone} {act.base}?
		Have you seen {np}?
		Have you seen {beast} {where}?
		Will you {act.base}?
		Do you remember {about}?
		Do you want {foodnp} or {foodnp}?
		Is it {adj} or {adj}?
		Are you {vocation}?
		Are you {state} or {state}?
		Whose {adj} {thing} is that?`,
	"seller": `
		{^adj} {stuff}, {adj} {adj} {stuff}!
		{^adj} {food.s} from {newplace}, {number} {coin.s}!
		I have {np}, {np} and {np}.
		This {adj} {thing} belonged to {someone}.
		For you, {call}, {number} {coin.s} and {foodnp}.
		Smell this {adj} {food}!
		It is {adj} {material}, not {adj} {material}.
		My {adj} {kin} made it of {adj} {material}.
		{^number} {coin.s} and {np}.
		Take {np} as well, {call}.
		It is {adj}, {call}.`,
	"buyer": `
		{^number} {coin.s}? {^insult}!
		I saw {np} {where} for {number} {coin.s}.
		The {adj} {thing} is {adj}.
		It smells of {adj} {food} and {adj} {stuff}.
		I will give you {np} for it.
		Is it {adj} {material}?
		My {adj} {kin} would laugh at it.
		Have you got {np}?
		Wrap it in {adj} {material}.
		I only want {foodnp}.
		Keep your {adj} {thing}, {call}.`,
}
