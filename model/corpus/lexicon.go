package corpus

// lexicon holds the word classes: a class name and its words, separated by
// white space. An underscore stands for a space inside a word. Words that
// belong together in meaning share a class, so that a sentence frame that
// asks for {food} gets something to eat.
var lexicon = map[string]string{
	"role": `miller weaver cooper potter baker brewer tanner glazier mason carpenter tinker cobbler saddler smith farrier
		shepherd goatherd beekeeper gardener forester charcoal-burner woodcutter hunter trapper fisher ferrier boatwright
		sailmaker ropemaker netmaker pilot captain sailor lighthouse-keeper ferry-keeper toll-keeper gatekeeper watchman
		innkeeper cook butcher chandler candlemaker soapmaker dyer tailor furrier hatter glover lacemaker quilter papermaker
		printer bookbinder scribe clerk notary judge steward bailiff messenger courier drummer piper fiddler singer juggler
		puppeteer storyteller painter carver engraver jeweller clockmaker locksmith glassblower bellfounder organ-builder
		healer midwife apothecary herbalist surgeon teacher scholar mapmaker astronomer librarian monk pilgrim hermit
		peddler merchant grocer fishmonger moneylender surveyor bridge-builder well-digger quarryman salt-boiler
		falconer horse-dealer muleteer carter stable-hand apprentice orphan widow stranger exile soldier knight baron duchess`,
	"kin": `sister brother cousin aunt uncle mother father grandmother grandfather niece nephew daughter son neighbour
		godmother stepfather twin partner rival friend master pupil landlord tenant lodger`,
	"temper": `patient stubborn cheerful gloomy honest sly gentle fierce shy proud humble greedy generous careless careful
		clever foolish brave timid lonely famous forgotten young old weary restless quiet noisy talkative silent curious
		jealous faithful fickle grumpy merry solemn sleepy lazy diligent clumsy nimble lame blind deaf hungry thirsty poor
		wealthy ragged elegant polite rude stern tender bitter lucky unlucky barefoot freckled bearded toothless tall short
		stout thin pale sunburnt left-handed red-haired grey-haired one-eyed homesick lovesick absent-minded superstitious
		hopeful doubtful anxious calm bold modest boastful wise simple reckless cautious dreamy practical tireless ancient`,
	"thing": `lantern kettle basket ladder hammer chisel needle thimble spindle loom anvil bellows bucket barrel bottle jar
		jug cup bowl spoon knife ladle pan cauldron tray plate box chest trunk casket drawer cupboard stool bench table cradle
		mirror comb brush ribbon scarf shawl cloak coat apron glove boot slipper hat hood mask belt buckle button purse
		satchel sack blanket pillow quilt rug curtain tapestry banner flag sail rope anchor oar net hook compass telescope
		map letter diary ledger scroll book almanac inkwell quill seal stamp key lock hinge bolt chain bell whistle drum
		flute fiddle harp horn trumpet lute puppet doll kite top dice chessboard coin ring brooch necklace bracelet crown
		medal sword shield spear bow arrow dagger helmet saddle bridle wagon cart wheel sledge boat raft plough scythe
		sickle rake spade axe saw nail candle torch clock hourglass sundial statue painting feather shell pebble bone
		horseshoe millstone chimney shutter broom umbrella walking-stick birdcage beehive pipe snuffbox teapot weathervane`,
	"thingadj": `cracked painted rusty polished broken carved borrowed stolen forgotten heavy light empty full dented gilded
		wooden copper silver iron brass leather woollen silken linen glass clay stone bone velvet tin golden battered
		crooked narrow enormous tiny ordinary precious worthless worn mended patched faded bright plain striped spotted
		folded sealed hollow warm cold damp dusty sticky scorched frozen blue green red yellow white black grey purple
		crimson amber ivory scarlet old new ancient foreign secret enchanted cursed blessed lucky nameless
		second-hand unfinished beautiful ugly strange familiar sharp blunt soft stiff fragile sturdy smoky salted`,
	"food": `bread cheese butter honey plum apple pear cherry fig quince apricot berry walnut chestnut almond hazelnut
		onion leek turnip carrot cabbage bean pea lentil barley oat rye millet pumpkin mushroom herring trout eel salmon
		oyster crab sausage ham bacon mutton goose duck egg soup stew porridge dumpling pancake pie cake biscuit pudding
		jam syrup vinegar mustard pepper salt garlic mint thyme saffron ginger cinnamon tea cider ale wine mead milk cream`,
	"foodadj": `fresh stale sweet sour bitter salty smoked pickled roasted boiled baked fried spiced buttered burnt raw ripe
		rotten warm cold hot thick thin creamy crisp tender dried candied peppered honeyed mouldy delicious plain steaming`,
	"animal": `fox wolf bear badger otter hare rabbit hedgehog squirrel mole mouse rat weasel stag deer goat sheep lamb ram
		cow ox calf bull horse mare pony foal donkey mule pig boar dog hound puppy cat kitten crow raven magpie jackdaw owl
		hawk falcon eagle swan heron crane stork goose duck hen rooster pigeon dove swallow sparrow wren robin thrush
		cuckoo nightingale frog toad newt snake lizard turtle snail beetle cricket moth bee wasp spider seal dolphin whale`,
	"animaladj": `lame sleek hungry tame wild young old white black grey brown spotted striped three-legged one-eyed gentle
		fierce sleepy clever stubborn frightened wounded tired fat thin muddy shaggy silent noisy lost faithful enormous
		tiny sacred speckled golden silver playful greedy nervous`,
	"plant": `oak elm ash birch willow pine fir yew alder hazel poplar maple rowan hawthorn elder holly juniper apple-tree
		pear-tree fig-tree rose lily poppy violet daisy thistle nettle fern moss ivy heather clover reed bramble lavender
		foxglove bluebell marigold sunflower primrose bindweed mistletoe`,
	"spot": `mill bridge tannery orchard harbour lighthouse quarry bakery brewery smithy chapel abbey tower castle gate
		market square well fountain inn tavern barn stable granary dovecote bathhouse school library courthouse prison
		theatre hospital orphanage graveyard garden vineyard meadow pasture field hedge lane crossroads ford ferry quay pier
		boathouse shipyard fish-market warehouse workshop cellar attic kitchen pantry parlour courtyard balcony staircase
		corridor hall bedroom cottage farmhouse hut cave cliff beach dune marsh bog pond lake river stream waterfall spring
		forest grove thicket clearing hill ridge valley ravine pass glacier moor heath island reef causeway milestone
		shrine ruin well-house rope-walk toll-house almshouse counting-house clock-tower bell-tower watchtower`,
	"spotadj": `old new ruined abandoned crowded quiet narrow wide steep muddy dusty sunny shady windy foggy snowy frozen
		burnt flooded haunted hidden forgotten famous little great northern southern eastern western upper lower outer inner
		lonely busy peaceful gloomy mossy stony sandy grassy overgrown crooked crumbling whitewashed half-built sacred
		forbidden empty green grey blue red white black royal common`,
	"material": `wool silk linen leather copper silver gold iron tin brass glass clay oak ivory amber pearl coral wax paper
		felt velvet salt stone marble bronze straw fur bone ebony jade chalk pewter canvas lace`,
	"cargo": `salt wool grain timber coal tar pitch rope wine oil honey cloth silk fur amber iron tin glass paper ink soap
		candles spices tea tobacco apples onions herring barrels bricks slate marble copper hides feathers flour seeds
		lamp-oil charcoal`,
	"colour": `red blue green yellow white black grey brown purple crimson amber silver golden scarlet violet pale dark`,
	"topic": `debt promise rumour secret quarrel wedding funeral harvest flood drought war peace tax law inheritance journey
		shipwreck robbery fire plague festival election duel treasure ghost dream prophecy riddle song recipe wager bargain
		lawsuit marriage betrayal friendship apprenticeship birthday storm winter winter-fair mistake lie miracle disaster
		invention discovery rebellion voyage pilgrimage contest feast famine curse blessing reward punishment farewell`,
	"topicadj": `old new strange terrible wonderful secret sudden long bitter happy sad famous forgotten foolish honest
		costly dangerous curious endless private public impossible unlucky quiet`,
	"feeling": `joy grief anger fear shame pride envy hope despair relief wonder doubt longing regret boredom hunger pity
		gratitude courage suspicion tenderness homesickness confusion delight dread patience disgust mischief sorrow
		surprise weariness curiosity guilt triumph loneliness`,
	"mood": `happy sad angry afraid ashamed proud jealous hopeful desperate relieved doubtful bored hungry thankful brave
		suspicious homesick confused delighted worried calm disgusted sorry surprised tired curious guilty triumphant lonely
		restless embarrassed furious content uneasy astonished sleepy`,
	"adv": `slowly quickly quietly loudly carefully carelessly gladly sadly angrily gently firmly bravely nervously
		patiently eagerly politely rudely secretly openly suddenly gradually clumsily gracefully stubbornly cheerfully
		gloomily thoughtfully absently hurriedly lazily proudly humbly kindly coldly warmly bitterly solemnly merrily
		shyly boldly wearily silently softly sternly foolishly wisely honestly blindly dreamily reluctantly anxiously
		calmly awkwardly fiercely tenderly`,
	"body": `hand shoulder elbow knee foot head forehead nose ear chin cheek beard thumb finger wrist ankle back neck heart
		stomach tooth eye`,
	"number":    `two three four five six seven eight nine ten eleven twelve thirteen twenty thirty forty`,
	"ordinal":   `first second third fourth fifth sixth seventh eighth ninth tenth last`,
	"direction": `north south east west north-east north-west south-east south-west`,
	"season":    `spring summer autumn winter`,
	"month": `Thawmonth Seedmonth Lambmonth Rosemonth Haymonth Goldmonth Applemonth Mistmonth Frostmonth Longnight Candlemonth
		Wolfmonth`,
	"weekday": `Millday Marketday Bellday Washday Breadday Songday Restday`,
	"coin":    `copper penny shilling crown florin groat farthing silver-piece`,
	"weather": `rain snow hail fog mist wind frost thunder sunshine sleet drizzle moonlight starlight dew heat ice`,
	"weatheradj": `thin thick cold warm bitter gentle sudden endless grey white yellow soft heavy early late strange
		pale silver`,
	"ship":       `barge ketch cutter schooner galley brig sloop lugger trawler ferry whaler packet`,
	"shipname":   `Swallow Heron Gannet Kestrel Otter Lantern Thistle Marigold Patience Fortune Providence Magpie Comet Harvest`,
	"instrument": `flute fiddle harp horn drum lute bagpipe trumpet hurdy-gurdy zither dulcimer tambourine`,
	"measure":    `handful cupful spoonful pinch bowl jar pound basketful slice bunch jug sackful`,
	"vessel":     `bowl pot pan kettle cauldron jar crock dish tray jug`,
	"title":      `king queen prince princess duke duchess baron witch giant dragon saint hermit river-god wizard captain thief fool`,
}
