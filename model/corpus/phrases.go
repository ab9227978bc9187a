package corpus

// phrases holds noun phrases, verb phrases and adverbials, one to a line. In
// a verb phrase @ marks the verb that takes the form asked for.
var phrases = map[string]string{
	"np": `
		a {thing}
		a {thingadj} {thing}
		a {thingadj} {thing}
		a {thingadj}, {thingadj} {thing}
		the {thing}
		the {thingadj} {thing}
		{number} {thing.s}
		{number} {thingadj} {thing.s}
		a {thing} of {material}
		a {thing} and a {thing}
		a {material} {thing}
		{newname}'s {thing}
		somebody's {thing}
		a {thing} from {newplace}
		a {vessel} of {foodadj} {food.s}
		a {colour} {thing}`,
	"foodnp": `
		{foodadj} {cooked}
		{cooked}
		{number} {food.s}
		{number} {foodadj} {food.s}
		a {vessel} of {foodadj} {cooked}
		{cooked} and {cooked}
		{cooked} with {cooked}`,
	"cooked": `
		bread
		cheese
		soup
		stew
		porridge
		trout
		herring
		mutton
		bacon
		plums
		figs
		apples
		pears
		cherries
		onions
		turnips
		carrots
		beans
		lentils
		mushrooms
		dumplings
		pancakes
		sausages
		honey
		butter
		walnuts
		chestnuts
		eggs
		oysters
		crabs
		leeks
		peas`,
	"drink": `
		tea
		cider
		ale
		wine
		mead
		milk
		water
		{plant} tea
		warm water
		cold milk
		plum brandy`,
	"who": `
		a {role}
		a {temper} {role}
		a {temper} {role}
		the {role}
		the {temper} {role}
		the {role}'s {kin}
		{newname} the {role}
		{newname}
		{newname} of {newplace}
		{number} {role.s}
		an old {kin}
		a {role} from {newplace}
		a {role} with a {thingadj} {thing}`,
	"someone": `
		a {role}
		a {temper} {role}
		a {temper} {role}
		the {role}
		the {temper} {role}
		the {role}'s {kin}
		{newname} the {role}
		{newname}
		a {role} from {newplace}
		a {role} with a {thingadj} {thing}`,
	"beast": `
		a {animal}
		a {animaladj} {animal}
		a {animaladj} {animal}
		the {animal}
		the {animaladj} {animal}
		the {role}'s {animal}
		a {animaladj}, {animaladj} {animal}`,
	"beasts": `
		{number} {animal.s}
		{number} {animaladj} {animal.s}
		{animaladj} {animal.s}
		a {animal} and a {animal}`,
	"place": `
		the {spot}
		the {spotadj} {spot}
		the {spotadj} {spot}
		a {spotadj} {spot}
		the {spot} of {newplace}
		{newname}'s {spot}
		the {role}'s {spot}
		the {spot} and the {spot}
		{newplace}
		{town}
		{dest}`,
	"to": `
		to {place}
		to {place}
		towards {place}
		past {place}
		through {newplace}
		into {place}
		across the {spotadj} {spot}
		along the {river}
		round {place}
		up the {spot}
		down the {spot}
		from {place} to {place}
		{direction} from {town}
		out of {place}`,
	"where": `
		in {place}
		near {place}
		behind {place}
		beside the {spot}
		under the {plant}
		under a {thingadj} {thing}
		behind a {thing}
		in a {thingadj} {thing}
		at the {spot}
		by the {river}
		on the {spot}
		beyond {newplace}
		between the {spot} and the {spot}
		among the {plant.s}
		outside the {spotadj} {spot}
		opposite {place}`,
	"when": `
		at dawn
		at noon
		at dusk
		at midnight
		before sunrise
		after supper
		after the {topic}
		before the {topicadj} {topic}
		during the {weather}
		on {weekday}
		on {weekday} morning
		on {weekday} evening
		in {month}
		early in {month}
		late in {month}
		that {season}
		one {season} morning
		one {weatheradj} evening
		in the {ordinal} week of {month}
		{number} days later
		{number} weeks later
		{number} years ago
		the next day
		the same night
		an hour later
		a moment later
		at the {ordinal} bell
		when the {weather} came
		when the {weather} stopped
		while {someone} {v.idle.ed}
		every {weekday}
		all {season}`,
	"how": `
		{adv}
		{adv}
		{adv}
		without a word
		with a sigh
		with a {thing}
		with {adv2} {feeling}
		for {number} pence
		for a {coin}
		as {adv} as before
		like {someone}
		like {beast}
		out of {feeling}
		in the {weather}`,
	"adv2": `
		great
		little
		some
		sudden
		secret
		quiet
		bitter
		unexpected`,
	"about": `
		the {topic}
		the {topicadj} {topic}
		a {topicadj} {topic}
		{someone}
		{np}
		{place}
		the price of {cargo}
		the {weather}
		{beasts}
		{newname}'s {topic}
		the {topic} of {newplace}
		{feeling} and {feeling}`,
	"act": `
		@{v.handle.base} {np}
		@{v.handle.base} {np}
		@{v.handle.base} {np} {where}
		@{v.handle.base} {np} {how}
		@{v.handle.base} {np} and @{v.handle.base} {np}
		@{v.motion.base} {to}
		@{v.motion.base} {to}
		@{v.motion.base} {to} {how}
		@{v.motion.base} {to} with {np}
		@{v.motion.base} {to} and @{v.handle.base} {np}
		@{v.transfer.base} {np} to {someone}
		@{v.transfer.base} {np} to {someone}
		@ask {someone} about {about}
		@ask {someone} for {np}
		@{v.tell.base} {someone}
		@{v.tell.base} {someone} {how}
		@talk {how} of {about}
		@{v.eat.base} {foodnp}
		@{v.eat.base} {foodnp} {where}
		@drink {drink} with {someone}
		@{v.beast.base} {beast}
		@{v.beast.base} {beast} {where}
		@{v.beast.base} {beasts}
		@{v.idle.base} {where}
		@{v.idle.base} and @{v.idle.base}
		@{v.idle.base} {how}
		@write {about3}
		@play the {instrument} {where}
		@sing of {about}
		@see {np} {where}
		@see {beast} {where}
		@meet {someone} {where}
		@leave {np} {where}
		@make a {thing} out of {material}
		@build a {thingadj} {thing} {where}
		@take {np} from {someone}
		@put {np} {where}
		@spend {number} pence on {np}
		@plant a {plant} {where}
		@win {np} from {someone}
		@hear {about2}
		@think of {about}
		@cut down the {plant} {where}
		@light a {thingadj} {thing}
		@learn the {topic} by heart
		@sell {cargo} to {someone}
		@load {cargo} onto a {thingadj} {ship}
		@swap {np} for {np}
		@pay {someone} {number} {coin.s}`,
	"about2": `
		a {instrument} {where}
		{beast} {where}
		{someone} {where}
		of {about}
		a {topicadj} {topic} from {someone}
		{topicadj} {weather} {where}`,
	"about3": `
		a {topicadj} letter to {someone}
		{someone} a {topicadj} letter
		a song about {about}
		{number} lines about {about}
		the word {feeling} on a {thing}`,
	"whyclause": `
		because {someone} {v.tell.ed} {him}
		because of the {weather}
		because {someone} had a {topicadj} {topic}
		so that {someone} could {v.idle.base}
		although {beast} {v.idle.ed} {where}
		although the {spot} was {spotadj}
		for fear of {about}
		in spite of the {topic}
		out of {feeling}
		for the sake of {someone}
		until {someone} {v.idle.ed}
		while {beast} {v.cry.ed}`,
	"countword": `
		some
		many
		few
		no
		a hundred
		several
		more
		too many`,
	"sky": `
		{weatheradj} {weather}
		{weather} and {weather}
		{weatheradj} {weather} from the {direction}
		a {weatheradj} {weather}`,
	"vocation": `
		a {role}
		a {temper} {role}
		the {role} of {newplace}
		{role} to a {title}
		a {role} without a {thing}`,
	"insult": `
		you {temper} {animal}
		you {temper} {role}
		you {animaladj} {animal}
		you old {thing}`,
	"call": `
		my friend
		my dear
		{newname}
		{role}
		neighbour
		good {role}
		child
		stranger
		{insult}`,
}
