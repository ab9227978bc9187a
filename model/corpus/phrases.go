package corpus

// phrases holds noun phrases, verb phrases and adverbials, one to a line. In
// a verb phrase @ marks the verb that takes the form asked for.
var phrases = map[string]string{
	"np": `
		{det} {adj} {thing}
		{det} {adj} {thing}
		{det} {adj} {adj} {thing}
		{det} {adj} {adj} {thing}
		{det} {adj} {adj} {thing}
		{det} {adj} {item}
		{det} {adj} {adj} {item}
		{det} {adj} {adj} {item}
		{det} {adj} {item} {where}
		{det} {adj} {material} {thing}
		{det} {material} {thing}
		{newname}'s {adj} {thing}
		{det} {adj} {vessel} of {adj} {cooked}
		{adj} {stuff}
		{adj} {adj} {stuff}
		{adj} {stuff} and {adj} {stuff}`,
	"npsg": `
		{det1} {adj} {thing}
		{det1} {adj} {adj} {thing}
		{det1} {adj} {adj} {thing}
		{det1} {adj} {adj} {item}
		{det1} {adj} {item}
		{det1} {adj} {material} {thing}
		{newname}'s {adj} {thing}
		{adj} {adj} {stuff}`,
	"foodnp": `
		{adj} {cooked}
		{adj} {adj} {cooked}
		{adj} {adj} {cooked}
		{adj} {cooked} and {adj} {cooked}
		{adj} {cooked} with {adj} {cooked}
		{det} {adj} {adj} {dish}`,
	"cooked": `
		bread
		cheese
		soup
		stew
		trout
		bacon
		plums
		figs
		apples
		pears
		onions
		beans
		leeks
		honey
		butter
		eggs
		peas
		crabs
		salt
		cream`,
	"drink": `
		tea
		cider
		ale
		wine
		mead
		milk
		{adj} ale
		{adj} cider
		{adj} wine
		{adj} {plant} tea`,
	"who": `
		{det} {state} {role}
		{det} {state} {role}
		{det} {state} {state} {role}
		{det} {state} {state} {role}
		{newname} the {role}
		{newname} the {state}
		{newname}
		{newname}
		{newname} and {newname}
		{det} {state} {kin}`,
	"someone": `
		{det} {state} {role}
		{det} {state} {role}
		{det} {state} {state} {role}
		{det} {state} {state} {role}
		{newname} the {role}
		{newname} the {state}
		{newname}
		{newname}
		{newname}
		{det} {state} {kin}`,
	"beast": `
		{det} {beadj} {animal}
		{det} {beadj} {animal}
		{det} {beadj} {beadj} {animal}
		{det} {beadj} {beadj} {animal}
		{newname}'s {beadj} {animal}`,
	"beasts": `
		{det} {beadj} {animal} and {det} {beadj} {animal}
		{det} {beadj} {animal}
		{number} {beadj} {animal.s}`,
	"place": `
		{det} {adj} {spot}
		{det} {adj} {spot}
		{det} {adj} {adj} {spot}
		{det} {adj} {adj} {spot}
		{newname}'s {adj} {spot}
		{newplace}
		{newplace}
		{newplace}
		{town}`,
	"to": `
		to {place}
		towards {place}
		past {place}
		into {place}
		across {place}
		round {place}
		along {det} {adj} {spot}
		up {det} {adj} {spot}
		down {det} {adj} {spot}
		over {place}
		through {place}
		{direction}
		home`,
	"where": `
		in {place}
		near {place}
		behind {place}
		beside {place}
		under {det} {adj} {plant}
		under {det} {adj} {thing}
		behind {det} {adj} {thing}
		in {det} {adj} {thing}
		by {det} {adj} {spot}
		on {det} {adj} {spot}
		beyond {newplace}
		outside {place}
		above {place}
		below {place}
		inside {det} {adj} {thing}
		around {place}`,
	"when": `
		at dawn
		at noon
		at dusk
		after {det} {adj} {topic}
		before {det} {adj} {topic}
		during {adj} {weather}
		on {weekday}
		that {season}
		one {adj} {season}
		one {adj} morning
		one {adj} evening
		one {adj} night
		one {adj} day
		in {adj} {weather}
		when {someone} {v.idle.ed}
		while {someone} {v.idle.ed}
		until {someone} {v.idle.ed}`,
	"how": `
		{adv}
		{adv}
		{adv}
		{adv}
		{adv} and {adv}
		with {det} {adj} {thing}
		with {adj} {feeling}
		like {det} {state} {role}
		like {det} {beadj} {animal}
		in {adj} {weather}`,
	"about": `
		{det} {adj} {topic}
		{det} {adj} {adj} {topic}
		{someone}
		{np}
		{np}
		{place}
		{adj} {adj} {weather}
		{beasts}
		{newname}'s {adj} {topic}`,
	"act": `
		@{v.handle.base} {np}
		@{v.handle.base} {np}
		@{v.handle.base} {np}
		@{v.handle.base} {np} {where}
		@{v.handle.base} {np} {how}
		@{v.handle.base} {np} {adv}
		@{v.handle.base} and @{v.handle.base} {np}
		{adv} @{v.handle.base} {np}
		{adv} @{v.handle.base} {np}
		@{v.motion.base} {to}
		@{v.motion.base} {adv} {to}
		@{v.motion.base} {to} with {np}
		{adv} @{v.motion.base} {to}
		@{v.transfer.base} {someone} {np}
		@{v.transfer.base} {np} to {someone}
		@{v.tell.base} {someone}
		@{v.tell.base} {someone} {how}
		{adv} @{v.tell.base} {someone}
		@{v.eat.base} {foodnp}
		@{v.eat.base} {foodnp} {how}
		{adv} @{v.eat.base} {foodnp}
		@drink {drink} with {someone}
		@{v.beast.base} {beast}
		@{v.beast.base} {beast} {how}
		@{v.idle.base} {how}
		@{v.idle.base} {where}
		@play {det} {adj} {instrument}
		@see {np} {where}
		@meet {someone} {where}
		@make {det} {adj} {thing} of {adj} {material}
		@take {np} from {someone}
		@win {np} from {someone}
		@talk {adv} of {about}
		@sing of {about}
		@swap {np} for {np}`,
	"whyclause": `
		because {someone} {v.idle.ed}
		for {adj} {feeling}
		although {beast} {v.cry.ed}
		for fear of {about}
		for {someone}
		until {someone} {v.idle.ed}
		while {beast} {v.cry.ed}
		because {beast} {v.cry.ed}`,
	"sky": `
		{adj} {weather}
		{adj} {adj} {weather}
		{adj} {weather} and {adj} {weather}`,
	"vocation": `
		a {state} {role}
		a {state} {state} {role}
		the {state} {role} of {newplace}`,
	"insult": `
		you {temper} {animal}
		you {temper} {role}
		you {beadj} {animal}
		you old {thing}`,
	"call": `
		my friend
		my dear
		{newname}
		{newname}
		{role}
		{temper} {role}
		child
		{insult}`,
	"det": `
		a
		a
		the
		the
		another
		this
		that
		one
		some
		every`,
	"det1": `
		a
		a
		the
		another
		one
		some`,
	"freq": `
		often
		never
		soon
		once
		twice
		still
		always
		also
		almost
		later
		even
		only
		seldom
		again`,
	"conj": `
		and
		and
		then
		but
		yet
		and then
		and soon
		and {adv}
		but never
		and never
		so
		and even`,
}
