package corpus

// records holds the sentences of letters, logs, diaries, legends, recipes,
// notices and chronicles, one to a line. Letters and diaries say I.
var records = map[string]string{
	"first": `
		I {act.ed}.
		I {act.ed} {when}.
		{when}, I {act.ed}.
		I {freq} {act.ed}.
		I {act.ed} {conj} {act.ed}.
		We {freq} {act.ed}.
		We {act.ed} {when}.
		{when}, we {act.ed}.
		I was {state} and {act.ed}.
		My {adj} {kin} {act.ed}.
		Your {adj} {kin} {freq} {act.ed}.
		{who} {act.ed}, but I {act.ed}.
		{someone} {v.say.ed}, "{^line}"
		I ate {foodnp} {where}.
		I dreamt {adv} of {about}.
		The {adj} {spot} here is {adj} and {adj}.
		{beast} {v.cry.ed} {when}.
		{sky} {skyverb} over {place}.
		My {body} is {adj}, and my {adj} {thing} is {adj}.
		Tomorrow I shall {act.base}.
		Tell {someone} that I {act.ed}.
		Do you still {act.base}?`,
	"greeting": `
		Dear {B}
		My dear {B}
		Dear {kin}
		Dearest {B}
		To {B}, {vocation}
		{B}, my {Btemper} {kin}
		Honoured {Brole}
		To the {role} of {newplace}`,
	"farewell": `
		Yours, {A}
		Your {kin} {A}
		Your {Atemper} {kin}, {A}
		With {feeling} and {feeling}, {A}
		{A}, {vocation}
		Your {state} {A}
		Greet {someone} from me. {A}`,
	"letterwhy": `
		I write to you from {place}.
		Your {adj} letter reached me {where}.
		Thank you for {np}.
		You ask me about {about}.
		I am sending you {np} and {np}.
		I have found {np} {where}.
		You must come {to}.
		Forgive me: I {act.ed}.
		{when}, I left {place}.
		You owe me {number} {coin.s} and {np}.
		The {adj} {topic} is over, and {someone} {v.idle.ed}.`,
	"log": `
		Wind {direction}, {sky}.
		{sky} {when}.
		Sighted {np} {where}.
		Sighted {det} {adj} {ship} with {adj} {stuff}.
		Took on {adj} {stuff}, {adj} {stuff} and {adj} {stuff}.
		Sold {adj} {stuff} at {newplace} for {number} {coin.s}.
		{newname} the {role} {act.ed}.
		{newname} {act.ed}.
		{det} {state} {role} {v.say.ed}, "{^line}"
		{np} {v.change.ed}.
		Lost {np} and {np}.
		Found {np} {where}.
		Ate {foodnp}.
		The {adj} crew {v.idle.ed} and {act.ed}.
		Mended the {adj} {thing} with {adj} {material}.
		{beast} {v.cry.ed} {when}.`,
	"legend": `
		In those days the {state} {title} of {newplace} {act.ed}.
		Whoever {act.ed} could {act.base}.
		The {state} {title} asked {beast}, and it {v.say.ed}, "{^line}"
		{det} {state} {title} {v.say.ed}, "{^line}"
		From the {title}'s {adj} {body} grew a {adj} {plant}.
		The {state} {title} {v.idle.ed} {where}.
		The {title} {adv} turned {someone} into {beast}.
		The {title} gave {A} {np} and {np}.
		Then the {state} {title} {act.ed}, and there was {adj} {weather}.
		{sky} was the breath of the {state} {title}.
		Out of {adj} {material} and {adj} {weather} the {title} made {beast}.
		The {title} wagered {np} against {np}.
		The {state} {title} sent {who} {to}.`,
	"moral": `
		So it is told in {newplace}.
		That is why {animal.s} {v.cry.base} {when2}.
		That is why no {role} ever {act.ed} {when2}.
		And the {title} never {v.idle.ed} again.
		Therefore the {role.s} of {newplace} carry a {thing}.
		He who has {feeling} needs no {thing}.
		A {thing} is worth less than {feeling}.
		Those who {act.base} must {act.base}.`,
	"when2": `
		in {month}
		at dusk
		at midnight
		in {season}
		on {weekday}
		before the {weather}`,
	"travel": `
		We {v.motion.ed} {to} {when}.
		I {v.motion.ed} {to} with {who}.
		The {adj} road went {to} and then {to}.
		The {state} people of {newplace} {act.ed}.
		The people here are {state} and {state}.
		{foodnp} cost {number} {coin.s}.
		They sell {adj} {stuff}, {adj} {stuff} and {adj} {stuff}.
		I saw {np} {where}.
		I saw {beasts} {where}.
		{someone} showed me {np}.
		{someone} {v.say.ed}, "{^line}"
		The {adj} {spot} is built of {adj} {material}.
		My {adj} {animal} {v.idle.ed} {where}.
		{sky} {skyverb} over {place}.
		I slept {where} and dreamt of {about}.`,
	"step": `
		{v.cooking.base} the {food.s} {how2}.
		{v.cooking.base} {number} {food.s} in a {vessel}.
		Add a {measure} of {foodadj} {cooked}.
		Add {number} {foodadj} {food.s}.
		{v.cooking.base} and {v.cooking.base} until {foodadj}.
		{v.cooking.base} it {how2}, then {v.cooking.base} it.
		Cover the {vessel} with {material}.
		Leave it {where} for {number} hours.
		If it is too {foodadj}, {v.cooking.base} it again.
		Stir it with a {foodadj} {thing}.
		Pour {drink} over the {food.s}.
		Throw the {food.s} to {beast}.
		Do not let {beast} {v.eat.base} it.
		Serve it {foodadj} with {foodnp}.
		Some {role.s} use {foodadj} {cooked} instead.
		In {newplace} they {v.cooking.base} it with {cooked}.
		My {kin} always {v.cooking.ed} the {food.s} first.`,
	"how2": `
		in {drink}
		{adv}
		over {plant} wood
		with {cooked}
		for {number} minutes
		until {foodadj}
		in {number} jugs of {drink}
		without {cooked}`,
	"notice": `
		Lost: {np}, {where}. Ask {newname} the {role}.
		Lost {where}: {beast}. Reward: {number} {coin.s}.
		Found: {np}, {where}, {when}.
		For sale: {np}, {np}. {newname}, {place}.
		Wanted: a {temper} {role} who can {act.base}.
		Wanted: {np} for {np}.
		{newname} the {role} will {act.base} on {weekday}.
		The {spot} is closed until the {topic}.
		{stuff}: {number} {coin.s} a {measure}. {^stuff}: {number} {coin.s}.
		{newname} and {newname} will marry {where} on {weekday}.
		A {adj} {topic} will be held {where}.
		Whoever {act.ed} {where} must pay {number} {coin.s}.
		Do not {act.base} {where}. The {role}.
		To let: a {adj} {spot} near the {spot}, {number} {coin.s} a {weekday}.
		Stolen {where}: {number} {thing.s} and {np}.
		{newname}, come home. We are {state}. Your {kin}.`,
	"chronicle": `
		In that year {who} {act.ed}.
		The {ordinal} of {month}: {sky}, and {who} {act.ed}.
		{topic} in {newplace}, {topic} in {newplace}.
		{number} {role.s} {act.ed}.
		The {title} of {newplace} {act.ed}.
		{stuff} cost {number} {coin.s}, {stuff} {number}.
		The {spot} {v.change.ed} {when}.
		{newname} became {vocation}.
		{newname} the {role} died {where}, {state} and {state}.
		{beasts} were seen {where}.
		The {spot} of {newplace} was built by {who}.
		The {river} froze, and {beasts} {v.cry.ed} {where}.`,
}
