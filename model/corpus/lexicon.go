package corpus

// lexicon holds the word classes: a class name and its words, separated by
// white space. An underscore stands for a space inside a word. Words that
// belong together in meaning share a class, so that a sentence frame that
// asks for {food} gets something to eat.
var lexicon = map[string]string{
	"role": `miller weaver cooper potter baker brewer tanner glazier mason tinker cobbler saddler smith farrier
		shepherd goatherd gardener forester hunter trapper fisher ferrier netmaker pilot captain sailor
		watchman cook butcher chandler dyer tailor furrier hatter glover quilter printer scribe clerk notary
		judge steward bailiff courier drummer piper fiddler singer juggler painter carver engraver jeweller
		healer midwife surgeon teacher scholar mapmaker monk pilgrim hermit peddler grocer carter orphan
		widow exile soldier knight baron duchess`,
	"kin": `aunt uncle mother father nephew son twin rival friend master pupil tenant`,
	"temper": `patient gloomy honest sly gentle fierce shy proud humble greedy careful clever foolish brave timid
		lonely famous young old weary quiet noisy silent curious jealous fickle grumpy merry solemn sleepy
		lazy clumsy nimble lame blind deaf hungry thirsty poor wealthy ragged elegant polite rude stern
		tender bitter lucky unlucky bearded tall short stout thin pale hopeful anxious calm bold modest wise
		simple dreamy ancient`,
	"thing": `kettle basket ladder hammer needle loom bucket barrel bottle jar jug cup bowl spoon knife ladle pan
		tray plate box chest trunk casket drawer stool bench table cradle mirror comb brush ribbon cloak coat
		apron glove boot hat hood mask belt buckle button purse sack quilt rug banner flag sail rope oar net
		hook map letter diary ledger scroll book quill seal stamp key lock chain bell drum flute fiddle harp
		horn lute puppet doll kite top dice coin ring brooch crown medal sword shield spear bow arrow dagger
		helmet saddle bridle wagon cart boat raft plough sickle rake spade axe saw nail torch clock shell
		bone broom pipe`,
	"thingadj": `cracked painted rusty broken carved stolen heavy light empty full dented gilded wooden copper silver
		iron brass leather woollen silken linen glass clay stone bone velvet tin golden crooked narrow tiny
		worn mended patched faded bright plain striped folded sealed hollow warm cold damp dusty sticky
		frozen blue green red yellow white black grey purple amber ivory old new secret cursed lucky ugly
		sharp blunt soft stiff sturdy smoky salted`,
	"food": `bread cheese butter honey plum pear cherry fig quince berry walnut almond onion leek turnip bean pea
		oat trout eel crab ham bacon goose duck egg soup stew pie cake jam salt mint tea cider ale wine mead
		milk cream`,
	"foodadj": `fresh stale sweet sour bitter salty smoked boiled baked fried spiced burnt raw ripe rotten warm cold
		hot thick thin creamy crisp dried plain`,
	"animal": `fox wolf bear otter hare mole rat stag deer goat sheep lamb ram cow ox calf bull mare pony foal mule
		pig boar dog hound puppy cat kitten crow raven magpie owl eagle swan heron stork goose duck hen dove
		wren frog toad newt snake snail moth bee wasp seal whale`,
	"animaladj": `lame sleek hungry tame wild young old white black grey gentle fierce sleepy clever tired fat thin
		muddy silent noisy lost tiny`,
	"plant": `oak elm ash willow pine fir yew maple rowan rose lily nettle fern moss ivy clover reed`,
	"spot": `mill bridge tannery quarry bakery brewery smithy abbey tower gate market square well inn barn stable
		school garden meadow pasture field hedge lane ford ferry quay pier cellar attic pantry hall hut cave
		cliff beach dune marsh bog pond lake river stream spring forest grove thicket hill ridge valley
		ravine pass moor heath island reef shrine ruin`,
	"spotadj": `old new ruined quiet narrow wide steep muddy dusty sunny shady windy foggy snowy frozen burnt hidden
		famous little great upper lower outer inner lonely busy gloomy mossy stony sandy grassy sacred empty
		green grey blue red white black royal common`,
	"material": `wool silk linen copper silver gold iron tin brass glass clay oak ivory amber pearl coral wax paper
		felt velvet salt stone marble straw fur bone ebony jade chalk lace`,
	"cargo": `salt wool timber coal tar pitch rope wine oil honey cloth silk fur amber iron tin glass paper ink
		soap spices tea apples slate hides flour`,
	"colour": `red blue green yellow white black grey brown purple amber pale dark`,
	"topic": `debt rumour secret quarrel harvest flood drought war peace tax law fire plague duel ghost dream
		riddle song wager bargain storm winter mistake lie contest feast famine curse reward farewell`,
	"feeling": `joy grief anger fear shame pride envy hope despair relief wonder doubt regret boredom hunger pity
		delight dread disgust sorrow guilt`,
	"mood": `happy sad angry afraid ashamed proud jealous hopeful relieved doubtful bored hungry thankful brave
		homesick confused worried calm sorry tired curious guilty lonely restless furious content uneasy
		sleepy`,
	"adv": `quietly carefully gladly sadly gently firmly patiently secretly clumsily gloomily hurriedly lazily
		proudly kindly coldly warmly bitterly solemnly shyly boldly wearily silently softly sternly foolishly
		wisely honestly blindly dreamily anxiously calmly tenderly`,
	"body":      `hand elbow knee foot head nose ear chin cheek beard thumb back neck eye`,
	"number":    `two three four five six seven eight nine ten eleven twelve forty`,
	"ordinal":   `first third fifth sixth ninth last`,
	"direction": `north south east west`,
	"season":    `spring summer autumn winter`,
	"month": `Thawmonth Seedmonth Lambmonth Rosemonth Haymonth Goldmonth Applemonth Mistmonth Frostmonth Longnight
		Candlemonth Wolfmonth`,
	"weekday":    `Millday Marketday Bellday Washday Breadday Songday Restday`,
	"coin":       `copper penny crown florin groat`,
	"weather":    `rain snow hail fog mist wind frost sleet dew heat ice`,
	"ship":       `barge ketch cutter galley brig sloop lugger ferry`,
	"shipname":   `Heron Gannet Otter Magpie Comet`,
	"dish":       `soup stew pie broth cake jam pickle salad bread sauce`,
	"instrument": `flute fiddle harp horn drum lute zither`,
	"measure":    `cupful pinch bowl jar pound slice bunch jug`,
	"vessel":     `bowl pot pan jar crock dish tray jug`,
	"title":      `king prince duke baron giant saint hermit fool`,
}

// unions holds classes that are made of others. The made-up world is free with
// its adjectives: a spoon may be shy and a bridge honest.
var unions = map[string]string{
	"adj":   "thingadj temper spotadj mood foodadj",
	"state": "mood temper",
	"beadj": "animaladj temper mood colour",
	"stuff": "cargo material weather",
	"item":  "thing plant animal",
}
